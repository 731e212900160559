using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;
using Forerun.UnitTests.Edge.Control;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Cli;

/// <summary>The figures of a generation, in a world of scripted times.</summary>
public class GenerationRunTests
{
    private const int VocabSize = 600;

    private static readonly WorldTimes Times = new(DraftMs: 3, VerifyMs: 60, RowMs: 1, RoundTripMs: 40);

    /// <summary>So slow that no offer is in time, but worth waiting for.</summary>
    private static readonly WorldTimes SlowDrafter = new(DraftMs: 12, VerifyMs: 14, RowMs: 0, RoundTripMs: 10);

    [Fact]
    public async Task LinkMsPerRound_AllRoundsStreamed_IsNull()
    {
        var report = await RunAsync(DecodingMode.Auto, tokens: 5);
        Assert.Equal("asynchronous", Assert.Single(report.Controller!.Choices).Mode);
        Assert.Null(report.LinkMsPerRound);
    }

    [Fact]
    public async Task LinkMsPerRound_MostRoundsStreamed_IsThatOfTheOthers()
    {
        var report = await RunAsync(DecodingMode.Auto, tokens: 800, SlowDrafter);
        var streamed = report.Controller!.Choices.Where(choice => choice.Mode is "autoregressive" or "asynchronous").Sum(choice => choice.Rounds);
        Assert.InRange(streamed, report.Rounds / 2, report.Rounds - 1);
        Assert.InRange(report.LinkMsPerRound!.Value, 9.9, 30);
    }

    [Fact]
    public async Task LaterTimes_LeaveTheFirstRoundOut()
    {
        var report = await RunAsync(DecodingMode.Speculative, tokens: 15);

        // Three rounds of four draft tokens and one token more.
        Assert.Equal((3, 36.0, 24.0), (report.Rounds, report.DraftMs, report.LaterDraftMs));
        Assert.Equal(80, report.LaterLinkMs);
        Assert.Equal(40, report.LinkMsPerRound);
    }

    private static async Task<GenerationReport> RunAsync(DecodingMode mode, int tokens, WorldTimes? times = null)
    {
        times ??= Times;
        var random = new Random(4);
        ImmutableArray<int> text = [.. Enumerable.Range(0, tokens).Select(_ => random.Next(VocabSize))];
        var clock = new FakeTimeProvider();

        // A verdict waits for the step that runs: for one token's time, whatever its branches.
        var drafter = new TimedDrafter(new NoisyOracleDrafter(text, 0, VocabSize), times, clock, branchCost: 0);
        var decoder = new EdgeDecoder(
            new TimedTarget(text, times, clock),
            drafter,
            new() { EndsDraftsEarly = false },
            clock);
        var request = new GenerationRequest { PromptTokens = [1, 2, 3], MaxTokens = tokens, Mode = mode };
        return await new GenerationRun(decoder, TinyModels.Draft.Tokenizer).RunAsync("target", request, onUpdate: null, Deadline.Token);
    }
}
