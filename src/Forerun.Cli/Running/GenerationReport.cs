using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Cli.Running;

/// <summary>One generation as it is told to the user. Times in milliseconds.</summary>
internal sealed record GenerationReport
{
    public required string Model { get; init; }

    public required string Mode { get; init; }

    /// <summary>What decided on draft tokens: <c>shared-noise</c> or <c>rejection</c>.</summary>
    public string Acceptance { get; init; } = RuleNames.Of(AcceptanceRule.SharedNoise);

    /// <summary>The text is not, or not wholly, the target's: the draft model alone wrote what follows the first
    /// <see cref="TargetTokens"/> tokens.</summary>
    public required bool Degraded { get; init; }

    /// <summary>Leading tokens that are the target's own; all of them unless <see cref="Degraded"/>.</summary>
    public required int TargetTokens { get; init; }

    /// <summary>How the server was lost, where a fallback went on; else null.</summary>
    public required string? Loss { get; init; }

    /// <summary>Hardware whose times are emulated; null = the times are this machine's.</summary>
    public string? Emulated { get; init; }

    /// <summary>Where this machine was slower than what it emulates; null where nothing is emulated.</summary>
    public OverrunReport? Overruns { get; init; }

    public required ImmutableArray<int> Tokens { get; init; }

    public required string Text { get; init; }

    /// <summary><c>stop</c>, <c>length</c> or <c>contextFull</c>.</summary>
    public required string FinishReason { get; init; }

    public required int PromptTokens { get; init; }

    public required int Rounds { get; init; }

    public required int TargetPasses { get; init; }

    public required int DraftedTokens { get; init; }

    public required int AcceptedTokens { get; init; }

    /// <summary>Rounds in which the draft token at index i was accepted.</summary>
    public required ImmutableArray<int> AcceptedPerPosition { get; init; }

    /// <summary>Accepted ÷ drafted; null when nothing was drafted.</summary>
    public required double? AcceptanceRate { get; init; }

    /// <summary>Output tokens per round.</summary>
    public required double MeanAcceptanceLength { get; init; }

    /// <summary>From the request to the first output token, prefill included.</summary>
    public required double TimeToFirstTokenMs { get; init; }

    /// <summary>Per output token after the first round, prefill excluded; null with one round only.</summary>
    public required double? TimePerOutputTokenMs { get; init; }

    public required double TotalMs { get; init; }

    /// <summary>Part of the total spent drafting before sending, all rounds; what was drafted ahead is not in it.
    /// </summary>
    public required double DraftMs { get; init; }

    /// <summary>Part of <see cref="DraftMs"/> in the rounds after the first; the first reads the prompt too.</summary>
    public required double LaterDraftMs { get; init; }

    /// <summary>What was drafted ahead; null in modes that draft nothing ahead.</summary>
    public required PreDraftReport? PreDrafts { get; init; }

    /// <summary>What mode auto chose and why; null in other modes.</summary>
    public ControllerReport? Controller { get; init; }

    /// <summary>Spent waiting for verdicts, all rounds.</summary>
    public required double WaitMs { get; init; }

    /// <summary>Part of <see cref="WaitMs"/> in which the server computed or queued.</summary>
    public required double CloudWaitMs { get; init; }

    /// <summary>The rest of <see cref="WaitMs"/>, link and protocol, in the rounds after the first.</summary>
    public required double LaterLinkMs { get; init; }

    /// <summary>Spent computing on the server, prefill included.</summary>
    public required double ServerComputeMs { get; init; }

    /// <summary>Median over the rounds after the first of the wait for a verdict less the server's queue and compute: link
    /// and protocol. Only rounds whose draft was sent after the verdict before, so none that are streamed; null where there
    /// are none.</summary>
    public required double? LinkMsPerRound { get; init; }

    public required long BytesUp { get; init; }

    public required long BytesDown { get; init; }
}

/// <summary>What drafting ahead did in a generation.</summary>
/// <param name="Rounds">Verdicts that could be hit.</param>
/// <param name="Hits">Verdicts that something was drafted for.</param>
/// <param name="FullAcceptanceHits">Of these, full acceptance as the drafter expected it.</param>
/// <param name="AlternativeHits">Of these, an alternative of the drafter.</param>
/// <param name="AnnouncementHits">Of these, verdicts that an exit announced.</param>
/// <param name="FinishedHits">Hits whose draft was finished when the verdict came.</param>
/// <param name="SentHits">Hits whose draft was sent before the verdict came.</param>
/// <param name="SentDrafts">Drafts sent before their verdict.</param>
/// <param name="Tokens">Tokens drafted ahead.</param>
/// <param name="WastedTokens">Of these, those for verdicts that did not come.</param>
/// <param name="HiddenMs">Time spent drafting while the target verified.</param>
internal sealed record PreDraftReport(
    int Rounds,
    int Hits,
    int FullAcceptanceHits,
    int AlternativeHits,
    int AnnouncementHits,
    int FinishedHits,
    int SentHits,
    int SentDrafts,
    int Tokens,
    int WastedTokens,
    double HiddenMs)
{
    /// <summary>Of the edge's counts.</summary>
    public static PreDraftReport Of(PreDraftStatistics counts) => new(
        counts.Rounds,
        counts.Hits,
        counts.FullAcceptanceHits,
        counts.AlternativeHits,
        counts.AnnouncementHits,
        counts.FinishedHits,
        counts.SentHits,
        counts.SentDrafts,
        counts.Tokens,
        counts.WastedTokens,
        counts.HiddenTime.TotalMilliseconds);
}

/// <summary>JSON of every command: camelCase, no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true,
    WriteIndented = false,
    Converters = [typeof(RuleConverter)])]
[JsonSerializable(typeof(GenerationReport))]
[JsonSerializable(typeof(Commands.ServingReport))]
[JsonSerializable(typeof(Commands.InspectReport))]
[JsonSerializable(typeof(Commands.EngineReport))]
[JsonSerializable(typeof(Commands.DemoReport))]
[JsonSerializable(typeof(Commands.ServerBenchReport))]
[JsonSerializable(typeof(Commands.LongPromptReport))]
[JsonSerializable(typeof(Comparing.CompareReport))]
[JsonSerializable(typeof(Comparing.CompareSettings))]
[JsonSerializable(typeof(Comparing.Cell))]
[JsonSerializable(typeof(PromptLine))]
[JsonSerializable(typeof(Commands.ExitBenchReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
