using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;

namespace Forerun.Cli.Running;

/// <summary>Shows a generation: text as it comes and one line of figures, or one JSON document.</summary>
/// <param name="json">A JSON document instead of text.</param>
/// <param name="reportPath">The JSON document also goes to this file; null = to none.</param>
internal sealed class GenerationOutput(bool json, string? reportPath = null)
{
    private readonly DegradationNotice _degradation = new(Console.Error);

    /// <summary>Runs and shows.</summary>
    public async Task<int> ShowAsync(
        GenerationRun run, string model, GenerationRequest request, CancellationToken cancellationToken)
    {
        var report = await run.RunAsync(model, request, Show, cancellationToken);
        var document = JsonSerializer.Serialize(report, ReportJson.Default.GenerationReport);
        if (reportPath is not null)
        {
            await File.WriteAllTextAsync(reportPath, document, cancellationToken);
        }

        if (json)
        {
            Console.WriteLine(document);
            return ExitCodes.Success;
        }

        Console.WriteLine();
        await Console.Error.WriteLineAsync(Line(report));
        return ExitCodes.Success;
    }

    /// <summary>One line of figures.</summary>
    public static string Line(GenerationReport report)
    {
        var perToken = report.TimePerOutputTokenMs is { } ms ? $", {ms:F1} ms/token" : "";
        var perRound = report.DraftedTokens > 0 ? $", {report.MeanAcceptanceLength:F1} tokens/round" : "";
        var accepted = report.AcceptanceRate is { } rate ? $", {rate:P0} of drafts accepted" : "";
        var ahead = report.PreDrafts is { } drafts ? $", {drafts.Hits} of {drafts.Rounds} verdicts drafted for ahead" : "";
        var bytes = report.BytesUp + report.BytesDown > 0 ? $", {report.BytesUp} B up, {report.BytesDown} B down" : "";
        var emulated = report.Emulated is { } profile ? $"emulated {profile}, " : "";
        var overruns = report.Overruns is { } late ? $", {late.Describe()}" : "";
        return $"[{emulated}{report.Mode}: {report.Tokens.Length} tokens, first after {report.TimeToFirstTokenMs:F0} ms{perToken}, "
            + $"{report.TargetPasses} target passes{perRound}{accepted}{ahead}{bytes}{overruns}]";
    }

    private void Show(TextUpdate update)
    {
        var mark = _degradation.Mark(update);
        if (!json)
        {
            Console.Out.Write(mark);
            Console.Out.Write(update.Text);
        }
    }
}
