using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary>What a demo shows at its end.</summary>
internal static class DemoTables
{
    /// <summary>The runs on this machine as it is, and those with emulated times.</summary>
    public static void Show(DemoReport report)
    {
        ShowRuns(report);
        if (report.EmulatedRun is { } emulated)
        {
            ShowRuns(emulated);
            var overruns = emulated.Modes.Select(mode => mode.Overruns!).Aggregate((sum, mode) => sum + mode);
            AnsiConsole.WriteLine(
                $"Emulated {emulated.Emulated}: models, exits, protocol and hits are real, the times are the profile's; {overruns.Describe()}.");
        }

        AnsiConsole.MarkupLine(report.Equal
            ? $"[green]The texts are equal, token for token[/] ({report.Modes[0].Tokens.Length} tokens)."
            : "[red]The texts differ.[/] This is a defect.");
    }

    private static void ShowRuns(DemoReport report)
    {
        var table = new Table { Title = new TableTitle(Markup.Escape(report.Emulated is { } profile ? $"Emulated: {profile}" : "This machine as it is")) }
            .AddColumns("Mode", "ms/token", "Speedup", "First token", "Accepted", "Tokens/round", "Drafted ahead", "Target passes", "Server ms/token", "Link bytes");
        foreach (var (mode, bytes) in report.Modes.Zip(report.LinkBytes))
        {
            table.AddRow(
                mode.Mode,
                $"{mode.TimePerOutputTokenMs:F1}",
                $"{report.Modes[0].TimePerOutputTokenMs / mode.TimePerOutputTokenMs:F2}",
                $"{mode.TimeToFirstTokenMs:F0} ms",
                mode.AcceptanceRate is { } rate ? $"{rate:P0}" : "-",
                $"{mode.MeanAcceptanceLength:F2}",
                mode.PreDrafts is { } ahead ? $"{ahead.Hits} of {ahead.Rounds}" : "-",
                $"{mode.TargetPasses}",
                $"{mode.ServerComputeMs / mode.Tokens.Length:F1}",
                $"{bytes}");
        }

        AnsiConsole.WriteLine();
        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(
            $"Link {report.Link}: {report.EmulatedRoundTripMs:F1} ms emulated, {report.MeasuredRoundTripMs:F1} ms measured. "
            + $"{(report.Pinned ? "Each process had a core of its own." : "Both processes shared the cores.")} "
            + $"Best here: {report.BestMode}, {report.BestSpeedup:F2}x the speed of autoregressive"
            + (report.Speedup < 1 ? "; a small target behind a slow link is quicker streamed, drafting still saves the server passes." : "."));
    }
}
