using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class SampleAmongTests
{
    private const int VocabSize = 200;

    [Theory]
    [InlineData(0f, 0, 1f, 0f, 1f)]
    [InlineData(0.8f, 0, 1f, 0f, 1.3f)]
    [InlineData(1f, 20, 0.9f, 0.02f, 1f)]
    public void SampleAmong_SomeTokens_EqualsASamplerOverThem(
        float temperature, int topK, float topP, float minP, float penalty)
    {
        var options = new SamplingOptions
        {
            Temperature = temperature,
            TopK = topK,
            TopP = topP,
            MinP = minP,
            RepetitionPenalty = penalty,
            Seed = 4,
        };
        var sampler = new TokenSampler(options, VocabSize);
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            int[] tokens = [.. Enumerable.Range(0, VocabSize).Where(_ => random.Next(3) == 0)];
            var logits = Array.ConvertAll(tokens, _ => random.NextSingle() * 6);
            int[] history = [.. Enumerable.Range(0, 10).Select(_ => random.Next(VocabSize))];
            var expected = new TokenSampler(options, VocabSize, [.. tokens]).Sample(logits, seed, history);
            Assert.Equal(expected, sampler.SampleAmong(tokens, logits, seed, history, out var lead));
            Assert.InRange(lead, 0f, TokenSampler.LargestLead);
        }
    }

    [Fact]
    public void SampleAmong_Greedy_LeadIsTheGapToTheSecond()
    {
        var sampler = new TokenSampler(SamplingOptions.Default, VocabSize);
        Assert.Equal(9, sampler.SampleAmong([5, 7, 9], [1f, 2.5f, 4f], 0, [], out var lead));
        Assert.Equal(1.5f, lead);
        Assert.Equal(5, sampler.SampleAmong([5], [1f], 0, [], out lead));
        Assert.Equal(TokenSampler.LargestLead, lead);
    }

    [Fact]
    public void SampleAmong_Sampled_LeadIsTheGapOfLogitsPlusNoise()
    {
        const int Position = 6;
        var sampler = new TokenSampler(new SamplingOptions { Temperature = 2f, Seed = 3 }, VocabSize);
        int[] tokens = [5, 7, 9];
        float[] logits = [1f, 2f, 1.5f];
        var scores = tokens.Select((token, i) => (logits[i] / 2f) + SharedNoise.Gumbel(3, Position, token)).OrderDescending().ToArray();
        sampler.SampleAmong(tokens, logits, Position, [], out var lead);
        Assert.Equal(scores[0] - scores[1], lead, 1e-5f);
    }

    [Fact]
    public void SampleAmong_WrongLengths_IsRefused()
    {
        var sampler = new TokenSampler(SamplingOptions.Default, 3);
        Assert.Throws<ArgumentException>(() => sampler.SampleAmong([1], [1f, 2f], 0, [], out _));
        Assert.Throws<ArgumentException>(() => sampler.SampleAmong([], [], 0, [], out _));
        Assert.Throws<ArgumentException>(() => sampler.SampleAmong([0, 1, 2, 3], [1f, 2f, 3f, 4f], 0, [], out _));
    }
}
