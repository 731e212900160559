using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge.Control;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

/// <summary>Mode asynchronous: the target never waits, and takes offers as they come.</summary>
public class AsynchronousTests
{
    private const int VocabSize = 600;

    private static readonly GenerationRequest Request =
        new() { PromptTokens = [1, 2, 3], MaxTokens = 300, IgnoreEndTokens = true, Mode = DecodingMode.Asynchronous };

    /// <summary>Draft, verification, row, round trip; errors of the drafter; most time of autoregressive decoding's.</summary>
    public static TheoryData<double, double, double, double, double, double> Worlds => new()
    {
        { 1, 60, 0, 1, 0, 0.3 },
        { 1, 60, 0, 1, 0.3, 0.6 },
        { 1, 60, 0, 40, 0.3, 0.75 },
        { 1, 60, 1, 100, 0.3, 0.9 },
        { 1, 60, 1, 400, 0.3, 1 },
        { 1, 60, 10, 40, 2, 1 },
        { 40, 60, 1, 40, 0.3, 1.001 },
        { 200, 60, 1, 40, 0.3, 1 },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public async Task Complete_AnyWorld_IsNeverSlowerThanAutoregressive(
        double draft, double verify, double row, double roundTrip, double errors, double most)
    {
        var times = new WorldTimes(draft, verify, row, roundTrip);
        var autoregressive = await RunAsync(times, errors, DecodingMode.Autoregressive);
        var asynchronous = await RunAsync(times, errors, DecodingMode.Asynchronous);
        Assert.True(asynchronous <= autoregressive * most, $"{asynchronous} ms, autoregressive {autoregressive} ms, {asynchronous / autoregressive:0.00}");
    }

    [Fact]
    public async Task Complete_RightDrafts_AreVerifiedInOneStreamThatIsGrantedOnce()
    {
        var (target, rounds) = await PlayAsync(seed: 7, offset: 0);
        var tokens = rounds.Sum(round => round.Tokens.Length);
        Assert.Empty(target.Sent);
        Assert.True(rounds.Count < tokens / 2, $"{rounds.Count} rounds for {tokens} tokens");
        Assert.All(rounds, round => Assert.Equal(round.DraftLength > 0, round.IsSentAhead));
        Assert.Equal(target.Offered.Count, target.Inbox.QueuedDrafts);
        Assert.InRange(target.Inbox.MatchedDrafts, 1, rounds.Count(round => round.DraftLength > 0));
    }

    [Fact]
    public async Task Complete_UselessDrafts_NoneIsVerified()
    {
        var (_, rounds) = await PlayAsync(seed: 8, offset: 1);
        Assert.All(rounds, round => Assert.Equal(0, round.AcceptedCount));
    }

    [Fact]
    public async Task Complete_AModelThatDrafts_WritesThePlainLoopsTextAndGivesItsMemoryBack()
    {
        using var model = TinyModels.Load("smollm-gqa-tied-q4_0");
        using var drafter = new ModelDrafter(model);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        foreach (var seed in new[] { 0UL, 5UL })
        {
            var request = Request with
            {
                MaxTokens = 60,
                Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed),
            };
            var text = TinyModels.PlainLoop(TinyModels.Target, request);
            foreach (var own in new IDrafter[] { drafter, new OracleDrafter(text, 0, VocabSize) })
            {
                var generation = await new EdgeDecoder(new LocalVerifier(scheduler), own).CompleteAsync(request, Deadline.Token);
                Assert.Equal(text, generation.Tokens);
            }

            Assert.Equal(0, model.KvBytesInUse);
        }
    }

    [Fact]
    public void Generate_RejectionSampling_IsRefused()
    {
        var request = Request with { Sampling = new() { Temperature = 0.8f, Acceptance = AcceptanceRule.Rejection } };
        var decoder = new EdgeDecoder(new FakeTarget(Text(1), VocabSize, 1), new RandomDrafter(1, VocabSize));
        var exception = Assert.Throws<ArgumentException>(() => decoder.GenerateAsync(request, Deadline.Token));
        Assert.Contains("rejection sampling", exception.Message);
    }

    /// <summary>A generation with a drafter that knows the text, or with an offset is wrong everywhere.</summary>
    private static async Task<(FakeTarget Target, List<DecodedRound> Rounds)> PlayAsync(int seed, int offset)
    {
        var text = Text(seed);
        var target = new FakeTarget(text, VocabSize, seed);
        var decoder = new EdgeDecoder(target, new OracleDrafter(text, offset, VocabSize));
        List<DecodedRound> rounds = [];
        await foreach (var round in decoder.GenerateAsync(Request with { MaxTokens = text.Length }, Deadline.Token))
        {
            rounds.Add(round);
        }

        Assert.Equal(text, rounds.SelectMany(round => round.Tokens));
        return (target, rounds);
    }

    private static async Task<double> RunAsync(WorldTimes times, double errors, DecodingMode mode)
    {
        var clock = new FakeTimeProvider();
        var text = Text(3);
        IDrafter drafter = errors > 1 ? new OracleDrafter(text, 1, VocabSize) : new NoisyOracleDrafter(text, errors, VocabSize);
        var decoder = new EdgeDecoder(
            new TimedTarget(text, times, clock), new TimedDrafter(drafter, times, clock), timeProvider: clock);
        var start = clock.GetTimestamp();
        var generation = await decoder.CompleteAsync(Request with { MaxTokens = text.Length, Mode = mode }, Deadline.Token);
        Assert.Equal(text, generation.Tokens);
        return clock.GetElapsedTime(start).TotalMilliseconds;
    }

    private static ImmutableArray<int> Text(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 200).Select(_ => random.Next(VocabSize))];
    }
}
