using System.Collections.Immutable;
using CsCheck;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class TokenSamplerTests
{
    private static readonly Gen<float> Logit = Gen.Frequency(
        (8, Gen.Float[-12f, 12f]),
        (4, Gen.Int[-3, 3].Select(i => (float)i)),
        (1, Gen.Const(float.NegativeInfinity)),
        (1, Choose(0f, -0f, 1e38f, -1e38f, 3e37f, 1e-40f)));

    private static readonly Gen<float[]> Logits = Gen.OneOf(
        Logit.Array[1, 300],
        Gen.Float[-5f, 5f].Array[1, 300],
        Gen.Int[-2, 2].Select(i => (float)i).Array[1, 300],
        Gen.Select(Gen.Float[-1e4f, 1e4f], Gen.Int[1, 100]).Select((x, n) => Enumerable.Repeat(x, n).ToArray()))
        .Where(x => x.Any(float.IsFinite));

    private static readonly Gen<SamplingOptions> Options = Gen.Select(
        Choose(0f, 1e-6f, 0.1f, 0.8f, 1f, 2f, 100f),
        Choose(0, 0, 1, 2, 5, 40, 1000),
        Choose(1f, 1f, 0.999f, 0.95f, 0.5f, 0.01f, float.Epsilon, 0.99999994f),
        Choose(0f, 0f, 0.05f, 0.5f, 1e-40f),
        Choose(1f, 1.3f, 0.8f),
        Choose(0, 3, 64),
        Gen.ULong,
        (temperature, topK, topP, minP, penalty, window, seed) => new SamplingOptions
        {
            Temperature = temperature,
            TopK = topK,
            TopP = topP,
            MinP = minP,
            RepetitionPenalty = penalty,
            RepetitionWindow = window,
            Seed = seed,
        });

    [Fact]
    public void Sample_AnyLogitsAndOptions_EqualsTheFullSort() =>
        Gen.Select(Logits, Options, Gen.Int[0, 1_000_000], Gen.Int[0, 299].Array[0, 70]).Sample(
            (logits, options, position, history) => Assert.Equal(
                SortingSampler.Sample(options, logits, [], position, history),
                new TokenSampler(options, logits.Length).Sample(logits, position, history)),
            iter: 8_000);

    [Fact]
    public void Sample_DraftVocabulary_EqualsTheTargetWithTheOtherTokensMasked() =>
        Gen.Select(Logits, Options, Gen.Int[0, 1_000_000], Gen.Int[0, 600].Array[0, 70], Gen.Int[1, 9]).Sample(
            (logits, options, position, history, stride) =>
            {
                ImmutableArray<int> vocabulary = [.. logits.Select((_, row) => 3 + (row * stride))];
                var full = Enumerable.Repeat(float.NegativeInfinity, vocabulary[^1] + 5).ToArray();
                for (var row = 0; row < logits.Length; row++)
                {
                    full[vocabulary[row]] = logits[row];
                }

                Assert.Equal(
                    new TokenSampler(options, full.Length).Sample(full, position, history),
                    new TokenSampler(options, full.Length, vocabulary).Sample(logits, position, history));
            },
            iter: 2_000);

    [Fact]
    public void Sample_MaskedTokens_AreNeverChosen() =>
        Gen.Select(Logits, Options, Gen.Int[0, 1000]).Sample((logits, options, position) =>
        {
            var token = new TokenSampler(options, logits.Length).Sample(logits, position, []);
            Assert.Contains(SortingSampler.Survivors(options, logits, [], []), s => s.Token == token);
        });

    [Fact]
    public void Sample_ReusedSampler_DependsOnNothingBefore() =>
        Gen.Select(Options, Gen.Float[-5f, 5f].Array[200].Array[2, 5]).Sample((options, rows) =>
        {
            var reused = new TokenSampler(options, 200);
            for (var i = 0; i < rows.Length; i++)
            {
                var expected = new TokenSampler(options, 200).Sample(rows[i], i, [1, 2, 3]);
                Assert.Equal(expected, reused.Sample(rows[i], i, [1, 2, 3]));
            }
        });

    [Fact]
    public void Sample_LargeVocabulary_EqualsTheFullSort()
    {
        foreach (var (spread, options) in new (float, SamplingOptions)[]
        {
            (3f, new() { Temperature = 0.8f, TopP = 0.95f, Seed = 1 }),
            (1f, new() { Temperature = 1f, TopK = 40, TopP = 0.9f, MinP = 0.05f, Seed = 2 }),
            (0.001f, new() { Temperature = 100f, TopP = 0.999f, Seed = 3 }),
            (2f, new() { Temperature = 1f, RepetitionPenalty = 1.1f, Seed = 4 }),
        })
        {
            var logits = Normal(30_000, spread, 11);
            Assert.Equal(
                SortingSampler.Sample(options, logits, [], 9, [5, 6]),
                new TokenSampler(options, logits.Length).Sample(logits, 9, [5, 6]));
        }
    }

    [Theory]
    [InlineData(new[] { 1f, 3f, 3f, 2f }, 1)]
    [InlineData(new[] { -0f, 0f }, 0)]
    [InlineData(new[] { float.NegativeInfinity, -1e30f }, 1)]
    public void Sample_Greedy_TakesTheLargestAndTheLowestIdOfEquals(float[] logits, int expected) =>
        Assert.Equal(expected, new TokenSampler(SamplingOptions.Default, logits.Length).Sample(logits, 0, []));

    [Fact]
    public void Sample_RepetitionPenalty_CountsEachTokenOnceAndOnlyInsideTheWindow()
    {
        var options = new SamplingOptions { RepetitionPenalty = 2f, RepetitionWindow = 2 };
        var sampler = new TokenSampler(options, 3);
        Assert.Equal(0, sampler.Sample([3f, 1.4f, -1f], 3, [0, 0, 0]));
        Assert.Equal(1, sampler.Sample([3f, 1.6f, -1f], 3, [0, 0, 0]));
        Assert.Equal(0, sampler.Sample([3f, 1.6f, -1f], 3, [0, 2, 2]));
        Assert.Equal(2, sampler.Sample([-1f, -3f, -1.5f], 3, [0, 0]));
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinite")]
    public void Sample_LogitIsNoNumber_SaysWhichRow(float bad, string name)
    {
        foreach (var (row, count) in new[] { (17, 100), (99, 100), (2, 3) })
        {
            var logits = new float[count];
            logits[row] = bad;
            var error = Assert.Throws<ArgumentException>(
                () => new TokenSampler(SamplingOptions.Default, count).Sample(logits, 0, []));
            Assert.StartsWith(
                $"A token cannot be chosen: logits must be numbers below infinity, but row {row} of {count} is {name}. "
                + "The model's weights are broken.",
                error.Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Sample_EverythingMasked_Throws()
    {
        var error = Assert.Throws<ArgumentException>(() => new TokenSampler(SamplingOptions.Default, 2)
            .Sample([float.NegativeInfinity, float.NegativeInfinity], 0, []));
        Assert.StartsWith(
            "A token cannot be chosen: at least one of 2 logits must be above -infinity, but none is.",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_WrongLength_SaysBoth()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new TokenSampler(SamplingOptions.Default, 10).Sample(new float[9], 0, []));
        Assert.StartsWith(
            "The logits have the wrong length: needed [10], got [9].", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { 1, 1 }, 1, 1)]
    [InlineData(new[] { 2, 10 }, 10, 2)]
    [InlineData(new[] { -1 }, -1, -1)]
    public void Constructor_BrokenDraftVocabulary_SaysWhere(int[] vocabulary, int token, int previous)
    {
        var error = Assert.Throws<ArgumentException>(
            () => new TokenSampler(SamplingOptions.Default, 10, [.. vocabulary]));
        Assert.StartsWith(
            $"A draft vocabulary must hold ascending token ids below the vocabulary size 10, got {token} after "
            + $"{previous}. The draft model's file is broken.",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Sample_AfterConstruction_AllocatesNothing()
    {
        var logits = Normal(5000, 3f, 1);
        var options = new SamplingOptions
        { Temperature = 0.8f, TopK = 100, TopP = 0.9f, MinP = 0.01f, RepetitionPenalty = 1.1f };
        var sampler = new TokenSampler(options, logits.Length);
        int[] history = [1, 2, 3];
        sampler.Sample(logits, 0, history);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var position = 1; position < 20; position++)
        {
            sampler.Sample(logits, position, history);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static Gen<T> Choose<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    internal static float[] Normal(int count, float spread, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => spread * (float)(
            Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
