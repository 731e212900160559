using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Running;

/// <summary>Runs one generation, streams its text and counts what it cost.</summary>
/// <param name="decoder">Decodes.</param>
/// <param name="tokenizer">Makes text of tokens.</param>
/// <param name="draftModel">How the report names what answers without the target; null = there is no fallback.</param>
internal sealed class GenerationRun(EdgeDecoder decoder, Tokenizer tokenizer, string? draftModel = null)
{
    /// <summary>Receives what the controller tells about its choices; null = nobody asks.</summary>
    public Action<string>? Explain { get; init; }

    /// <summary>The decoder's drafter where hardware is emulated, else null.</summary>
    public EmulatedDrafter? Emulated { get; init; }

    /// <summary>Runs to the end.</summary>
    /// <param name="model">How the report names the target.</param>
    /// <param name="request">What to generate.</param>
    /// <param name="onUpdate">Receives rounds and their text as they come; null = nobody listens.</param>
    /// <param name="cancellationToken">Ends the generation, on the server too.</param>
    public async Task<GenerationReport> RunAsync(
        string model, GenerationRequest request, Action<TextUpdate>? onUpdate, CancellationToken cancellationToken)
    {
        var rounds = new List<DecodedRound>();
        var whole = new System.Text.StringBuilder();
        var start = TimeProvider.System.GetTimestamp();
        var firstRound = TimeSpan.Zero;
        var overruns = Emulated is null ? null : OverrunReport.Of(Emulated);
        var updates = new TextDecoder(decoder, tokenizer).GenerateAsync(request, cancellationToken: cancellationToken);
        await foreach (var update in updates)
        {
            if (rounds.Count == 0)
            {
                firstRound = TimeProvider.System.GetElapsedTime(start);
            }

            if (rounds.Count == 0 || rounds[^1].Choice != update.Round.Choice)
            {
                ExplainChange(request, update.Round);
            }

            rounds.Add(update.Round);
            whole.Append(update.Text);
            onUpdate?.Invoke(update);
        }

        var total = TimeProvider.System.GetElapsedTime(start);
        var name = rounds[0].Loss is null ? model : draftModel ?? model;
        var report = Report(name, request, rounds, whole.ToString(), firstRound, total) with
        {
            Emulated = Emulated?.Profile.Name,
            Overruns = overruns is null ? null : OverrunReport.Since(overruns, Emulated!, request.Mode, rounds),
        };
        if (request.Mode != DecodingMode.Auto || decoder.Controller is not { } decision)
        {
            return report;
        }

        var controller = ControllerReport.Of(decision, rounds);
        Explain?.Invoke(controller.Summary());
        return report with { Controller = controller };
    }

    private void ExplainChange(GenerationRequest request, DecodedRound round)
    {
        if (request.Mode == DecodingMode.Auto && decoder.Controller is { } decision)
        {
            Explain?.Invoke(ControllerReport.Line(round.Round, decision));
        }
    }

    private static GenerationReport Report(
        string model, GenerationRequest request, List<DecodedRound> rounds, string text, TimeSpan firstRound, TimeSpan total)
    {
        var end = rounds[^1].End!;
        var counts = rounds.Aggregate(RoundStatistics.None, (sum, round) => sum + CountsOf(round));
        var lost = rounds.FindIndex(round => round.Loss is not null);
        var later = counts.OutputTokens - rounds[0].Tokens.Length;
        return new GenerationReport
        {
            Model = model,
            Mode = ModeNames.Of(lost < 0 ? request.Mode : DecodingMode.EdgeOnly),
            Acceptance = RuleNames.Of(request.Sampling.Acceptance),
            Degraded = request.Mode == DecodingMode.EdgeOnly || lost >= 0,
            TargetTokens = request.Mode == DecodingMode.EdgeOnly ? 0
                : rounds.TakeWhile(round => round.Loss is null).Sum(round => round.Tokens.Length),
            Loss = lost < 0 ? null : rounds[lost].Loss!.ToString(),
            Tokens = [.. rounds.SelectMany(round => round.Tokens)],
            Text = text,
            FinishReason = JsonNamingPolicy.CamelCase.ConvertName(end.Reason.ToString()),
            PromptTokens = request.PromptTokens.Length,
            Rounds = counts.Rounds,
            TargetPasses = end.Usage.TargetPasses,
            DraftedTokens = counts.DraftedTokens,
            AcceptedTokens = counts.AcceptedTokens,
            AcceptedPerPosition = counts.AcceptedPerPosition,
            AcceptanceRate = counts.AcceptanceRate,
            MeanAcceptanceLength = counts.MeanAcceptanceLength!.Value,
            TimeToFirstTokenMs = firstRound.TotalMilliseconds,
            TimePerOutputTokenMs = later == 0 ? null : (total - firstRound).TotalMilliseconds / later,
            TotalMs = total.TotalMilliseconds,
            DraftMs = counts.DraftTime.TotalMilliseconds,
            LaterDraftMs = rounds.Skip(1).Sum(round => round.DraftTime.TotalMilliseconds),
            WaitMs = counts.WaitTime.TotalMilliseconds,
            CloudWaitMs = rounds.Sum(CloudWaitMs),
            LaterLinkMs = rounds.Skip(1).Sum(round => round.WaitTime.TotalMilliseconds - CloudWaitMs(round)),
            ServerComputeMs = end.Usage.Compute.TotalMilliseconds,
            PreDrafts = request.Mode.DraftsAhead() || request.Mode == DecodingMode.Auto
                ? PreDraftReport.Of(counts.PreDrafts)
                : null,
            LinkMsPerRound = request.Mode.DraftsOnEdge() ? MedianLinkMs(rounds) : null,
            BytesUp = rounds[^1].Bytes.Up,
            BytesDown = rounds[^1].Bytes.Down,
        };
    }

    /// <summary>Never more than the wait: the server may compute while the edge drafts.</summary>
    private static double CloudWaitMs(DecodedRound round) => Math.Min(
        round.WaitTime.TotalMilliseconds, round.ServerTimings.Total.TotalMilliseconds);

    private static double LinkMs(DecodedRound round) =>
        (round.WaitTime - round.ServerTimings.Total).TotalMilliseconds;

    private static double? MedianLinkMs(List<DecodedRound> rounds)
    {
        double[] waits =
        [
            .. rounds.Skip(1)
                .Where(round => !round.IsSentAhead && !round.Choice.Mode.IsStreamed() && round.Loss is null)
                .Select(LinkMs),
        ];
        return waits.Length == 0 ? null : waits.Median();
    }

    private static RoundStatistics CountsOf(DecodedRound round) =>
        RoundStatistics.OfRound(round.DraftLength, round.AcceptedCount) with
        {
            PreDrafts = round.PreDrafts,
            DraftTime = round.DraftTime,
            WaitTime = round.WaitTime,
        };
}

/// <summary>Decoding modes as users write them.</summary>
internal static class ModeNames
{
    /// <summary>Modes whose text is the target's.</summary>
    public static IEnumerable<DecodingMode> Lossless { get; } =
        [.. Enum.GetValues<DecodingMode>().Where(mode => mode != DecodingMode.EdgeOnly)];

    /// <summary>The name of a mode.</summary>
    public static string Of(DecodingMode mode) => JsonNamingPolicy.KebabCaseLower.ConvertName(mode.ToString());

    /// <summary>The mode of a name that <see cref="Of"/> gave.</summary>
    public static DecodingMode Parse(string name) => Enum.GetValues<DecodingMode>().Single(mode => Of(mode) == name);
}
