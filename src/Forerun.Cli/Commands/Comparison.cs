using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Links;

namespace Forerun.Cli.Commands;

/// <summary>Runs prompts in every mode over several links and holds the texts against each other. This process is the
/// edge; the server is a process of its own.</summary>
/// <param name="draft">Who drafts.</param>
/// <param name="server">The server.</param>
/// <param name="draftLength">Tokens drafted per round.</param>
/// <param name="request">Makes a request of a prompt's text and a mode.</param>
internal sealed class Comparison(
    DraftSource draft, ServerProcess server, int draftLength, Func<string, DecodingMode, GenerationRequest> request)
{
    private const int WarmUpTokens = 24;

    /// <summary>Runs everything.</summary>
    /// <param name="promptFiles">Prompt files and their prompts.</param>
    /// <param name="roundTrips">Emulated round trips.</param>
    /// <param name="progress">Receives a line before each prompt.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="InvalidOperationException">A text differs from the autoregressive one.</exception>
    public async Task<ImmutableArray<CompareRow>> RunAsync(
        IReadOnlyList<(string Name, ImmutableArray<PromptLine> Prompts)> promptFiles,
        IReadOnlyList<TimeSpan> roundTrips,
        Action<string> progress,
        CancellationToken cancellationToken)
    {
        var rows = ImmutableArray.CreateBuilder<CompareRow>();
        foreach (var roundTrip in roundTrips)
        {
            await using var link = roundTrip > TimeSpan.Zero ? new LinkRelay(server.Address, roundTrip) : null;
            using var verifier = new GrpcVerifier(new GrpcVerifierOptions
            {
                Endpoint = link?.Address ?? server.Address,
                TokenizerFingerprint = draft.Tokenizer.Fingerprint,
                TargetId = server.TargetId,
            });
            var decoder = new EdgeDecoder(verifier, draft.Drafter, new EdgeDecoderOptions { DraftLength = draftLength });
            foreach (var (name, prompts) in promptFiles)
            {
                rows.AddRange(await RunSetAsync(decoder, name, prompts, roundTrip, progress, cancellationToken));
            }
        }

        return rows.ToImmutable();
    }

    private async Task<ImmutableArray<CompareRow>> RunSetAsync(
        EdgeDecoder decoder,
        string name,
        ImmutableArray<PromptLine> prompts,
        TimeSpan roundTrip,
        Action<string> progress,
        CancellationToken cancellationToken)
    {
        var run = new GenerationRun(decoder, draft.Tokenizer);
        var modes = Enum.GetValues<DecodingMode>();
        var reports = modes.ToDictionary(mode => mode, _ => new List<GenerationReport>());
        foreach (var mode in modes)
        {
            await decoder.CompleteAsync(
                request(prompts[0].Turns[0], mode) with { MaxTokens = WarmUpTokens }, cancellationToken);
        }

        foreach (var prompt in prompts)
        {
            progress($"{name} {prompt.Id}, round trip {roundTrip.TotalMilliseconds:F0} ms");
            foreach (var mode in modes)
            {
                reports[mode].Add(await run.RunAsync(
                    server.TargetId, request(prompt.Turns[0], mode), onText: null, cancellationToken));
            }

            Check(prompt, [.. modes.Select(mode => reports[mode][^1])]);
        }

        var baseline = PerToken(reports[DecodingMode.Autoregressive]);
        return [.. modes.Select(mode => Row(name, roundTrip, reports[mode], baseline))];
    }

    private static void Check(PromptLine prompt, ImmutableArray<GenerationReport> reports)
    {
        foreach (var report in reports)
        {
            var same = report.Tokens.AsSpan().CommonPrefixLength(reports[0].Tokens.AsSpan());
            if (same < Math.Max(report.Tokens.Length, reports[0].Tokens.Length))
            {
                throw new InvalidOperationException(
                    $"The texts of prompt \"{prompt.Id}\" differ: {report.Mode} leaves {reports[0].Mode} at output token {same}. This is a defect; no speed is reported.");
            }
        }
    }

    private static double PerToken(List<GenerationReport> reports)
    {
        var timed = reports.Where(report => report.TimePerOutputTokenMs is not null).ToList();
        var tokens = timed.Sum(report => (report.TotalMs - report.TimeToFirstTokenMs) / report.TimePerOutputTokenMs!.Value);
        return timed.Sum(report => report.TotalMs - report.TimeToFirstTokenMs) / tokens;
    }

    private static double? LinkMs(List<GenerationReport> reports)
    {
        var measured = reports.Where(report => report.LinkMsPerRound is not null).Select(report => report.LinkMsPerRound!.Value);
        return measured.Any() ? measured.Median() : null;
    }

    private static CompareRow Row(string name, TimeSpan roundTrip, List<GenerationReport> reports, double baseline)
    {
        var tokens = reports.Sum(report => report.Tokens.Length);
        var rounds = reports.Sum(report => report.Rounds);
        var drafted = reports.Sum(report => report.DraftedTokens);
        var perToken = PerToken(reports);
        return new CompareRow(
            name,
            roundTrip.TotalMilliseconds,
            reports[0].Mode,
            Equal: true,
            tokens,
            perToken,
            reports.Select(report => report.TimeToFirstTokenMs).Median(),
            drafted == 0 ? null : (double)reports.Sum(report => report.AcceptedTokens) / drafted,
            (double)tokens / rounds,
            (double)reports.Sum(report => report.TargetPasses) / tokens,
            reports.Sum(report => report.ServerComputeMs) / tokens,
            (double)reports.Sum(report => report.BytesUp + report.BytesDown) / rounds,
            LinkMs(reports),
            baseline / perToken);
    }
}
