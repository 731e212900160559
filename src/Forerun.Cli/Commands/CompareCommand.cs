using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Inference;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun compare</c>: every mode on many prompts, equality first.</summary>
internal static class CompareCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var prompts = new Option<string[]>("--prompts")
        {
            Description = "Prompt files, JSON lines with \"id\" and \"turns\"; default: the bundled sets.",
            AllowMultipleArgumentsPerToken = true,
        };
        var limit = new Option<int>("--limit")
        {
            Description = "Most prompts of each file.",
            DefaultValueFactory = _ => 10,
        };
        var roundTrips = new Option<double[]>("--rtt")
        {
            Description = "Emulated round trips in milliseconds; 0 = plain loopback.",
            DefaultValueFactory = _ => [0, 5, 20],
            AllowMultipleArgumentsPerToken = true,
        };
        var drafter = new DrafterOptions();
        options.MaxTokens.DefaultValueFactory = _ => 64;
        var command = new Command("compare", "Compare the modes on many prompts, equality of the texts first.")
        {
            prompts, limit, roundTrips, options.Model, options.DraftLength, options.Json,
        };
        drafter.AddTo(command, options.DraftModel);
        options.AddGeneration(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var target = BundledModels.Target(parsed.GetValue(options.Model));
            await using var server = await ServerProcess.StartAsync(
                target, BundledModels.Draft(parsed.GetValue(options.DraftModel)), cancellationToken);
            if (ServerProcess.HasTwoCores)
            {
                ProcessCores.Restrict(1);
            }

            using var draft = drafter.Load(
                parsed, options.DraftModel, new ModelLoadOptions { Threads = 1 }, tokenizerPath: () => target);
            var draftLength = parsed.GetValue(options.DraftLength);
            var comparison = new Comparison(
                draft, server, draftLength, (text, mode) => options.Request(parsed, draft.Text, text, mode));
            var files = parsed.GetValue(prompts) is { Length: > 0 } named ? named : PromptFile.Bundled();
            var rows = await comparison.RunAsync(
                [.. files.Select(file => (Path.GetFileNameWithoutExtension(file), PromptFile.Read(file, parsed.GetValue(limit))))],
                [.. parsed.GetRequiredValue(roundTrips).Select(TimeSpan.FromMilliseconds)],
                Console.Error.WriteLine,
                cancellationToken);
            var report = new CompareReport(server.TargetId, draftLength, ServerProcess.HasTwoCores, Equal: true, rows);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.CompareReport));
            }
            else
            {
                Show(report);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static void Show(CompareReport report)
    {
        var table = new Table().AddColumns(
            "Prompts", "RTT", "Mode", "ms/token", "Speedup", "Accepted", "Tokens/round", "Passes/token", "Server ms/token", "B/round", "Link ms/round");
        foreach (var row in report.Rows)
        {
            table.AddRow(
                row.Prompts,
                $"{row.RoundTripMs:F0}",
                row.Mode,
                $"{row.TimePerOutputTokenMs:F1}",
                $"{row.Speedup:F2}",
                row.AcceptanceRate is { } rate ? $"{rate:P0}" : "-",
                $"{row.MeanAcceptanceLength:F2}",
                $"{row.TargetPassesPerToken:F2}",
                $"{row.ServerMsPerToken:F1}",
                $"{row.BytesPerRound:F0}",
                row.LinkMsPerRound is { } link ? $"{link:F2}" : "-");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"All texts are equal. Target {report.Target}, draft length {report.DraftLength}.");
    }
}
