using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Mode auto in worlds of scripted times, which repeat exactly.</summary>
public class ControllerTests(ITestOutputHelper output)
{
    private const int VocabSize = 600;
    private const int Generations = 24;
    private const int Learning = 8;

    private static readonly ImmutableArray<int> Text = [.. RandomTokens(400)];

    /// <summary>Draft, verification, row, round trip; errors of the drafter, 2 = it is always wrong; most loss.</summary>
    public static TheoryData<string, double, double, double, double, double, double> Worlds => new()
    {
        { "fast link, slow target", 4, 200, 5, 1, 0.3, 1.05 },
        { "fast link, dear rows", 4, 40, 20, 1, 0.3, 1.05 },
        { "slow link, fast target", 1, 5, 0.5, 100, 0.3, 1.05 },
        { "slow link, slow target", 10, 150, 5, 100, 0.2, 1.05 },
        { "slow drafter", 40, 60, 2, 10, 0.2, 1.05 },
        { "useless drafter", 4, 50, 2, 20, 2, 1.05 },
        { "perfect drafter", 3, 60, 1, 40, 0, 1.05 },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public async Task Auto_AnyWorld_IsNearlyAsFastAsTheBestFixedChoice(
        string world, double draft, double verify, double row, double roundTrip, double errors, double most)
    {
        var times = new WorldTimes(draft, verify, row, roundTrip);
        var (best, bestChoice) = (double.MaxValue, default(DecodingChoice));
        foreach (var choice in FixedChoices())
        {
            var time = (await RunAsync(times, errors, choice, generations: 6)).MsPerToken;
            (best, bestChoice) = time < best ? (time, choice) : (best, bestChoice);
        }

        // The least of so many times that depend on where the drafter errs is a lucky one: it is measured anew.
        best = (await RunAsync(times, errors, bestChoice, Generations)).MsPerToken;
        var auto = await RunAsync(times, errors, new(DecodingMode.Auto, 4), Generations);
        output.WriteLine($"{world}: best {bestChoice} {best:0.00}, auto {auto.MsPerToken:0.00} ms/token");
        output.WriteLine(string.Join(", ", auto.Choices.Select(choice => $"{choice.Key}: {choice.Value}")));
        Assert.True(auto.MsPerToken < best * most, $"{world}: best {bestChoice} {best:0.00}, auto {auto.MsPerToken:0.00}");
    }

    [Theory]
    [InlineData(0.6, 1.4)]
    [InlineData(0.2, 1.4)]
    [InlineData(0.4, 1.2)]
    public async Task Auto_DraftingSlowsTheTargetDown_IsNearlyAsFastAsTheBestOfStreamingAndOffering(double errors, double beside)
    {
        var times = new WorldTimes(0.5, 4, 0.4, 1) { Beside = beside };
        var streaming = (await RunAsync(times, errors, new(DecodingMode.Autoregressive, 1), generations: 6)).MsPerToken;
        var offering = (await RunAsync(times, errors, new(DecodingMode.Asynchronous, 4), generations: 6)).MsPerToken;
        var auto = await RunAsync(times, errors, new(DecodingMode.Auto, 4), Generations);
        output.WriteLine($"streaming {streaming:0.00}, offering {offering:0.00}, auto {auto.MsPerToken:0.00} ms/token");
        output.WriteLine(string.Join(", ", auto.Choices.Select(choice => $"{choice.Key}: {choice.Value}")));
        Assert.True(auto.MsPerToken < Math.Min(streaming, offering) * 1.05, $"{streaming:0.00}, {offering:0.00}, {auto.MsPerToken:0.00}");
    }

    /// <summary>A plain stream is the fastest: drafting brings nothing, and slows the target down.</summary>
    [Theory]
    [InlineData(40, 1.2)]
    [InlineData(40, 1.4)]
    [InlineData(100, 1.2)]
    [InlineData(100, 1.4)]
    public async Task Auto_LongLinkAndDraftingSlowsTheTargetDown_IsHardlySlowerThanStreaming(double roundTrip, double beside)
    {
        var times = new WorldTimes(0.5, 4, 0.4, roundTrip) { Beside = beside };
        var streaming = (await RunAsync(times, 0.4, new(DecodingMode.Autoregressive, 1), generations: 6)).MsPerToken;
        var auto = (await RunAsync(times, 0.4, new(DecodingMode.Auto, 4), Generations)).MsPerToken;
        output.WriteLine($"{roundTrip} ms, beside {beside}: streaming {streaming:0.00}, auto {auto:0.00} ms/token");
        Assert.True(auto < streaming * 1.015, $"streaming {streaming:0.00}, auto {auto:0.00}");
    }

    /// <summary>Also where passes become faster than was learnt, and many more of them are under way.</summary>
    [Theory]
    [InlineData(DecodingMode.Auto, 10, 0.3)]
    [InlineData(DecodingMode.Auto, 50, 0.3)]
    [InlineData(DecodingMode.Auto, 100, 0.3)]
    [InlineData(DecodingMode.Auto, 100, 2)]
    [InlineData(DecodingMode.Auto, 600, 2)]
    [InlineData(DecodingMode.Asynchronous, 100, 0.3)]
    [InlineData(DecodingMode.Asynchronous, 600, 0.3)]
    public async Task Streaming_LinkOnSharedMachines_TargetHardlyWaitsToHearThatItGoesOn(DecodingMode mode, double roundTrip, double errors)
    {
        foreach (var seed in Enumerable.Range(0, 4))
        {
            var times = new WorldTimes(0.5, 5, 0.4, roundTrip) { Beside = 1.2, Shared = new SharedMachine(seed) };
            var run = await RunAsync(times, errors, new(mode, 4), generations: 6, learning: 1);
            output.WriteLine($"{mode}, {roundTrip} ms: waited {run.StreamWaited:0.0000} of the time, {string.Join(", ", run.Choices)}");
            Assert.True(run.StreamWaited < 0.003, $"machine {seed}: {run.StreamWaited:0.0000} of the time");
        }
    }

    [Fact]
    public async Task Auto_UselessDrafter_StreamsFromTheFirstRoundOn()
    {
        var run = await RunAsync(new(20, 50, 2, 20), errors: 2, new(DecodingMode.Auto, 4), generations: 1, learning: 0);
        Assert.Equal(new DecodingChoice(DecodingMode.Autoregressive, 0), run.Choices[0].Key);
        var streamed = run.Choices.Where(choice => choice.Key.Mode.IsStreamed()).Sum(choice => choice.Value);
        Assert.True(streamed > Text.Length - 20, string.Join(", ", run.Choices));
    }

    [Theory]
    [MemberData(nameof(Worlds))]
    public async Task Auto_AnyWorld_ItsFirstGenerationIsHardlySlowerThanStreaming(
        string world, double draft, double verify, double row, double roundTrip, double errors, double most)
    {
        _ = most;
        var times = new WorldTimes(draft, verify, row, roundTrip);
        var streaming = (await RunAsync(times, errors, new(DecodingMode.Autoregressive, 1), generations: 1)).MsPerToken;
        var auto = await RunAsync(times, errors, new(DecodingMode.Auto, 4), generations: 1, learning: 0);
        Assert.True(auto.MsPerToken < streaming * 1.05, $"{world}: streaming {streaming:0.00}, auto {auto.MsPerToken:0.00}");
    }

    [Fact]
    public async Task Auto_FirstGeneration_OffersFromTheFirstRoundOn()
    {
        var run = await RunAsync(new(1, 50, 1, 5), errors: 0.3, new(DecodingMode.Auto, 4), generations: 1, learning: 0);
        Assert.DoesNotContain(run.Choices, choice => choice.Key == DecodingChoice.Streaming);
    }

    [Fact]
    public async Task Auto_PerfectDrafter_DraftsLong()
    {
        var run = await RunAsync(new(3, 60, 1, 40), errors: 0, new(DecodingMode.Auto, 2), Generations);
        Assert.InRange(run.Choices[0].Key.DraftLength, 12, 16);
    }

    [Fact]
    public async Task Auto_SameWorldTwice_ChoosesTheSame()
    {
        var times = new WorldTimes(10, 150, 5, 100);
        var first = await RunAsync(times, 0.2, new(DecodingMode.Auto, 4), 4, learning: 0);
        var second = await RunAsync(times, 0.2, new(DecodingMode.Auto, 4), 4, learning: 0);
        Assert.Equal(first.MsPerToken, second.MsPerToken);
        Assert.Equal(first.Choices, second.Choices);
    }

    private static IEnumerable<DecodingChoice> FixedChoices() =>
        from mode in new[]
        {
            DecodingMode.Autoregressive, DecodingMode.Asynchronous, DecodingMode.Speculative, DecodingMode.Preemptive,
            DecodingMode.Pipelined,
        }
        from length in mode == DecodingMode.Autoregressive ? [1] : new[] { 1, 2, 3, 4, 6, 8, 12, 16 }
        select new DecodingChoice(mode, length);

    /// <summary>Generations of one decoder; those while it learns are not counted.</summary>
    private static async Task<Run> RunAsync(
        WorldTimes times, double errors, DecodingChoice choice, int generations, int learning = Learning)
    {
        var clock = new FakeTimeProvider();
        var target = new TimedTarget(Text, times, clock);
        IDrafter drafter = errors > 1
            ? new OracleDrafter(Text, 1, VocabSize)
            : new NoisyOracleDrafter(Text, errors, VocabSize);
        var decoder = new EdgeDecoder(
            target, new TimedDrafter(drafter, times, clock) { Drafted = () => target.HasDrafted = true }, new() { DraftLength = choice.DraftLength }, clock);
        var request = new GenerationRequest { PromptTokens = [1, 2, 3], MaxTokens = Text.Length, Mode = choice.Mode };
        List<DecodedRound> counted = [];
        var (time, waited, tokens) = (TimeSpan.Zero, TimeSpan.Zero, 0);
        for (var i = 0; i < generations; i++)
        {
            var (start, before) = (clock.GetTimestamp(), target.StreamWaited);
            List<DecodedRound> rounds = [];
            await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
            {
                rounds.Add(round);
            }

            Assert.Equal(Text, rounds.SelectMany(round => round.Tokens));
            if (i >= learning || choice.Mode != DecodingMode.Auto)
            {
                counted.AddRange(rounds);
                time += clock.GetElapsedTime(start);
                waited += target.StreamWaited - before;
                tokens += Text.Length;
            }
        }

        return new(
            time.TotalMilliseconds / Math.Max(1, tokens),
            [.. counted.CountBy(round => round.Choice).OrderByDescending(one => one.Value)],
            target.Opened,
            time > TimeSpan.Zero ? waited / time : 0);
    }

    private static IEnumerable<int> RandomTokens(int count)
    {
        var random = new Random(3);
        return Enumerable.Range(0, count).Select(_ => random.Next(VocabSize));
    }

    private sealed record Run(
        double MsPerToken, ImmutableArray<KeyValuePair<DecodingChoice, int>> Choices, List<DecodingMode> Opened, double StreamWaited);
}
