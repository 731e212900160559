using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary>What a demo shows at its end.</summary>
internal static class DemoTables
{
    /// <summary>The runs on this machine as it is, and those with emulated times. "Ahead" is the verdicts that something was
    /// drafted for before they came.</summary>
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
            .AddColumns("Mode", "ms/token", "Speedup", "Accepted", "Passes", "Ahead", "Bytes");
        foreach (var (mode, bytes) in report.Modes.Zip(report.LinkBytes))
        {
            table.AddRow(
                mode.Mode,
                $"{mode.TimePerOutputTokenMs:F1}",
                $"{report.Modes[0].TimePerOutputTokenMs / mode.TimePerOutputTokenMs:F2}",
                mode.AcceptanceRate is { } rate ? $"{rate:P0}" : "-",
                $"{mode.TargetPasses}",
                mode.PreDrafts is { } ahead ? $"{ahead.Hits} of {ahead.Rounds}" : "-",
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
