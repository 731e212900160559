using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Forerun.Cli.Running;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun demo</c>: a server and an edge process with a network between them.</summary>
internal static class DemoCommand
{
    private const string DefaultPrompt = "What is gravity? Explain it to a child in a few sentences.";
    private const double DefaultRoundTripMs = 5;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var prompt = new Option<string>("--prompt") { Description = "What to ask.", DefaultValueFactory = _ => DefaultPrompt };
        var linkOptions = new LinkOptions(several: false);
        options.MaxTokens.DefaultValueFactory = _ => 128;
        var command = new Command("demo", "A server and an edge process, a network between them, and the same text twice.")
        {
            prompt, options.Model, options.DraftModel, options.DraftLength,
            options.Temperature, options.TopP, options.TopK, options.MinP, options.Seed, options.MaxTokens, options.Json,
        };
        linkOptions.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var demo = new Demo(
                parsed.GetRequiredValue(prompt),
                linkOptions.Profiles(parsed, DefaultRoundTripMs)[0],
                parsed.GetValue(linkOptions.Seed),
                parsed.GetValue(options.DraftLength),
                BundledModels.Target(parsed.GetValue(options.Model)),
                [
                    "--draft-model", BundledModels.Draft(parsed.GetValue(options.DraftModel)),
                    .. Forward(parsed, options.Temperature),
                    .. Forward(parsed, options.TopP),
                    .. Forward(parsed, options.TopK),
                    .. Forward(parsed, options.MinP),
                    .. Forward(parsed, options.Seed),
                    .. Forward(parsed, options.MaxTokens),
                ]);
            var report = await demo.RunAsync(json ? null : Console.Out.Write, cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.DemoReport));
            }
            else
            {
                Show(report);
            }

            return report.Equal ? ExitCodes.Success : ExitCodes.Failure;
        });
        return command;
    }

    private static IEnumerable<string> Forward<T>(ParseResult parsed, Option<T> option)
        where T : IFormattable =>
        [option.Name, parsed.GetValue(option)!.ToString(null, CultureInfo.InvariantCulture)];

    private static void Show(DemoReport report)
    {
        var table = new Table().AddColumns("Mode", "ms/token", "First token", "Accepted", "Tokens/round", "Target passes", "Server ms/token", "Link bytes");
        foreach (var (mode, bytes) in report.Modes.Zip(report.LinkBytes))
        {
            table.AddRow(
                mode.Mode,
                $"{mode.TimePerOutputTokenMs:F1}",
                $"{mode.TimeToFirstTokenMs:F0} ms",
                mode.AcceptanceRate is { } rate ? $"{rate:P0}" : "-",
                $"{mode.MeanAcceptanceLength:F2}",
                $"{mode.TargetPasses}",
                $"{mode.ServerComputeMs / mode.Tokens.Length:F1}",
                $"{bytes}");
        }

        AnsiConsole.WriteLine();
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(report.Equal
            ? $"[green]The texts are equal, token for token[/] ({report.Modes[0].Tokens.Length} tokens)."
            : "[red]The texts differ.[/] This is a defect.");
        AnsiConsole.WriteLine(
            $"Link {report.Link}: {report.EmulatedRoundTripMs:F1} ms emulated, {report.MeasuredRoundTripMs:F1} ms measured. "
            + $"{(report.Pinned ? "Each process had a core of its own." : "Both processes shared the cores.")} "
            + $"Speculative is {report.Speedup:F2}x the speed of autoregressive here"
            + (report.Speedup < 1 ? ": a small target behind a slow link is quicker streamed; drafting still saves the server passes." : "."));
    }
}
