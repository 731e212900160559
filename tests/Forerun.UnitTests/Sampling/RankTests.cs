using CsCheck;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class RankTests
{
    private static readonly SamplingOptions[] Options =
    [
        SamplingOptions.Default,
        new() { RepetitionPenalty = 1.5f },
        new() { Temperature = 0.8f, Seed = 3 },
        new() { Temperature = 1.2f, TopK = 5, TopP = 0.9f, MinP = 0.02f, Seed = 4 },
    ];

    [Fact]
    public void Rank_IsWhatWouldBeSampledWithoutTheTokensBefore() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[1, 4], Gen.Int[-8, 8].Array[5, 90]).Sample((which, count, numbers) =>
        {
            float[] logits = [.. numbers.Select(number => number / 2f)];
            var sampler = new TokenSampler(Options[which], logits.Length);
            var tokens = new int[count];
            var scores = new float[count];
            var ranked = sampler.Rank(logits, 9, [1, 2], tokens, scores);
            Assert.Equal(count, ranked);
            for (var i = 0; i < ranked; i++)
            {
                Assert.Equal(sampler.Sample(logits, 9, [1, 2]), tokens[i]);
                Assert.True(i == 0 || scores[i] <= scores[i - 1]);
                logits[tokens[i]] = float.NegativeInfinity;
            }
        });

    [Fact]
    public void Rank_AnyOptions_TheFirstIsTheSample() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[-8, 8].Array[1, 90]).Sample((which, numbers) =>
        {
            float[] logits = [.. numbers.Select(number => number / 2f)];
            var sampler = new TokenSampler(Options[which], logits.Length);
            var tokens = new int[3];
            var count = sampler.Rank(logits, 9, [], tokens, new float[3]);
            Assert.InRange(count, 1, Math.Min(3, logits.Length));
            Assert.Equal(sampler.Sample(logits, 9, []), tokens[0]);
            Assert.Equal(count, tokens[..count].Distinct().Count());
        });

    [Fact]
    public void Rank_MaskedTokens_AreLeftOut()
    {
        var tokens = new int[3];
        var count = new TokenSampler(SamplingOptions.Default, 3)
            .Rank([float.NegativeInfinity, 2f, float.NegativeInfinity], 0, [], tokens, new float[3]);
        Assert.Equal((1, 1), (count, tokens[0]));
    }
}
