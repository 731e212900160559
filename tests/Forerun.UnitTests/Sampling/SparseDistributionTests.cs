using CsCheck;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class SparseDistributionTests
{
    private static readonly Gen<int[]> Ascending = Gen.Int[1, 2000].Array[1, SparseDistribution.MaxTokens]
        .Select(steps => steps.Select((_, i) => steps[..(i + 1)].Sum()).ToArray());

    private static readonly Gen<(int[] Tokens, int[] Weights)> Parts = Ascending.SelectMany(
        tokens => Gen.OneOf(Gen.Int[0, 1 << 30], Gen.Int[0, 40]).Array[tokens.Length].Where(weights => weights.Max() > 0)
            .Select(weights => (tokens, weights)));

    [Fact]
    public void Quantise_AnyWeights_SumIsTheTotalAndOrderIsKept() => Parts.Sample(
        parts =>
        {
            var (tokens, weights) = parts;
            var quantised = SparseDistribution.Quantise(tokens, weights);
            Assert.Equal(SparseDistribution.Total, quantised.Weights.Sum());
            Assert.All(quantised.Weights, weight => Assert.InRange(weight, 1, SparseDistribution.Total));
            Assert.Equal(quantised.Tokens.Order(), quantised.Tokens);
            Assert.Subset(tokens.ToHashSet(), quantised.Tokens.ToHashSet());
            var sum = weights.Sum(weight => (long)weight);
            var largest = weights.Max();
            for (var i = 0; i < tokens.Length; i++)
            {
                var exact = (double)weights[i] * SparseDistribution.Total / sum;
                var own = quantised.WeightOf(tokens[i]);
                Assert.InRange(own, exact - 1, weights[i] == largest ? exact + tokens.Length : exact);
                for (var j = 0; j < tokens.Length; j++)
                {
                    Assert.True(weights[i] >= weights[j] || own <= quantised.WeightOf(tokens[j]));
                }
            }
        },
        iter: 500);

    [Fact]
    public void Draw_AnyPosition_HasAWeight() => Gen.Select(Parts, Gen.ULong, Gen.Int[0, 100_000], Gen.Int[1, 40]).Sample(
        (parts, seed, position, count) =>
        {
            var quantised = SparseDistribution.Quantise(parts.Tokens, parts.Weights);
            var tokens = new int[count];
            Assert.Equal(Math.Min(count, quantised.Tokens.Length), quantised.Draw(seed, position, tokens));
            var drawn = tokens[..Math.Min(count, quantised.Tokens.Length)];
            Assert.Equal(drawn.Distinct(), drawn);
            Assert.All(drawn, token => Assert.True(quantised.WeightOf(token) > 0));
            Assert.Equal(drawn[0], quantised.Draw(seed, position));
        },
        iter: 500);

    [Fact]
    public void Draw_ManyPositions_HasTheFrequenciesOfTheWeights()
    {
        var distribution = SparseDistribution.Create([2, 5, 700, 701, 49000], [1, 95, 1000, 2000, 1000]);
        var counts = new int[5];
        for (var position = 0; position < 200_000; position++)
        {
            counts[distribution.Tokens.IndexOf(distribution.Draw(11, position))]++;
        }

        Assert.InRange(ChiSquare.PValue(counts, [.. distribution.Weights.Select(weight => weight / 4096.0)]), 1e-4, 1);
    }

    [Fact]
    public void DraftProbs_OfModels_AreTheSurvivorsAtMost32() =>
        Gen.Select(Gen.Int[1, 120], Gen.Float[0.1f, 3f], Gen.Int[0, 50], Gen.Float[0.2f, 1f], Gen.Int[0, 1000]).Sample(
            (vocabSize, temperature, topK, topP, seed) =>
            {
                var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP };
                var logits = TokenSamplerTests.Normal(vocabSize, 2f, seed);
                var draftProbs = new TokenSampler(options, vocabSize).DraftProbs(logits, []);
                var survivors = SortingSampler.Survivors(options, logits, [], []).Take(SparseDistribution.MaxTokens).ToArray();
                Assert.Subset(survivors.Select(s => s.Token).ToHashSet(), draftProbs.Tokens.ToHashSet());
                Assert.Equal(draftProbs.Weights.Max(), draftProbs.WeightOf(survivors[0].Token));
            },
            iter: 500);

    [Fact]
    public void Create_Hostile_TellsWhatIsWrong()
    {
        const string Length = "It must have 1 to 32 tokens and as many weights.";
        AssertRefused(Length, [], []);
        AssertRefused(Length, [1], [2048, 2048]);
        AssertRefused(Length, [.. Enumerable.Range(0, 33)], [.. Enumerable.Repeat(1, 32), 4064]);
        AssertRefused("Its token ids must ascend.", [5, 5], [2048, 2048]);
        AssertRefused("Its token ids must ascend.", [5, 4], [2048, 2048]);
        AssertRefused("Its token ids must ascend.", [-1], [4096]);
        AssertRefused("Its weights must be positive.", [4, 5], [4096, 0]);
        AssertRefused("Its weights must be positive.", [4, 5], [4097, -1]);
        AssertRefused("Its weights must add up to 4096, not to 4095.", [4, 5], [4094, 1]);
        AssertRefused("Its weights must add up to 4096, not to 4294967294.", [4, 5], [int.MaxValue, int.MaxValue]);
    }

    private static void AssertRefused(string message, int[] tokens, int[] weights) => Assert.Equal(
        message, Assert.Throws<ArgumentException>(() => SparseDistribution.Create([.. tokens], [.. weights])).Message);
}
