using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

/// <summary>Shared noise draws from the target's own distribution, and makes similar models agree. Fixed seeds.
/// </summary>
public class DistributionTests
{
    [Theory]
    [InlineData(200_000, 0.8f, 0, 0.9f, 0f)]
    [InlineData(40_000, 1f, 0, 1f, 0f)]
    [InlineData(40_000, 0.7f, 12, 1f, 0f)]
    [InlineData(40_000, 1.5f, 20, 0.95f, 0.1f)]
    public void Sample_ManyPositions_HasTheTargetsFrequencies(
        int draws, float temperature, int topK, float topP, float minP)
    {
        var logits = TokenSamplerTests.Normal(50, 1.5f, 5);
        var options = new SamplingOptions
        { Temperature = temperature, TopP = topP, TopK = topK, MinP = minP, Seed = 2024 };
        var survivors = SortingSampler.Survivors(options, logits, [], []);
        var total = survivors.Sum(s => Math.Exp(-s.Distance));
        var counts = new int[50];
        var sampler = new TokenSampler(options, 50);
        for (var position = 0; position < draws; position++)
        {
            counts[sampler.Sample(logits, position, [])]++;
        }

        var probabilities = new double[50];
        survivors.ForEach(s => probabilities[s.Token] = Math.Exp(-s.Distance) / total);
        Assert.InRange(ChiSquare.PValue(counts, probabilities), 1e-6, 1);
    }

    [Fact]
    public void Sample_SimilarModelsWithSharedNoise_AgreeFarMoreThanIndependently()
    {
        var (shared, independent) = (0, 0);
        var target = new TokenSampler(new() { Temperature = 0.8f, Seed = 1 }, 500);
        var draft = new TokenSampler(new() { Temperature = 0.8f, Seed = 1 }, 500);
        var stranger = new TokenSampler(new() { Temperature = 0.8f, Seed = 2 }, 500);
        for (var position = 0; position < 1000; position++)
        {
            var logits = TokenSamplerTests.Normal(500, 2f, position);
            var similar = logits.Zip(TokenSamplerTests.Normal(500, 0.3f, ~position), (a, b) => a + b).ToArray();
            var token = target.Sample(logits, position, []);
            shared += draft.Sample(similar, position, []) == token ? 1 : 0;
            independent += stranger.Sample(similar, position, []) == token ? 1 : 0;
        }

        Assert.True(shared > 600, $"{shared} of 1000 agree under shared noise.");
        Assert.True(independent < 200, $"{independent} of 1000 agree under independent noise.");
    }
}
