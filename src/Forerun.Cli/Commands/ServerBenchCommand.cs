using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun bench server</c>: many edges on one server, equality first.</summary>
internal static class ServerBenchCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var edges = new Option<int[]>("--edges")
        {
            Description = "Numbers of edges that decode at once, fewest first; up to 32.",
            DefaultValueFactory = _ => [1, 8, 32],
            AllowMultipleArgumentsPerToken = true,
        };
        var promptsPerEdge = new Option<int>("--prompts-per-edge")
        {
            Description = "Generations of each edge, one after another.",
            DefaultValueFactory = _ => 2,
        };
        options.MaxTokens.DefaultValueFactory = _ => 32;
        var command = new Command("server", "Time many edges on one server; a text that differs fails the run.")
        {
            edges, promptsPerEdge, options.Model, options.DraftModel, options.DraftLength, options.Json,
        };
        options.AddGeneration(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var draftPath = BundledModels.Draft(parsed.GetValue(options.DraftModel));
            await using var server = await ServerProcess.StartAsync(
                BundledModels.Target(parsed.GetValue(options.Model)), draftPath, options: [], cancellationToken);
            ServerProcess.TakeOtherCore();

            using var draft = LanguageModel.Load(draftPath, ModelLoadOptions.Draft with { Threads = 1 });
            int[] counts = [.. parsed.GetRequiredValue(edges).Order()];
            var perEdge = parsed.GetValue(promptsPerEdge);
            var draftLength = parsed.GetValue(options.DraftLength);
            var requests = Prompts(counts[^1] * perEdge)
                .Select(text => options.Request(parsed, draft.TextFormat, text, DecodingMode.Autoregressive));
            var bench = new ServerBench(server, draft, draftLength, [.. requests], perEdge);
            var rows = await bench.RunAsync(counts, json ? _ => { } : Console.Error.WriteLine, cancellationToken);
            var report = new ServerBenchReport(server.TargetId, draftLength, ServerProcess.HasTwoCores, Equal: true, rows);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.ServerBenchReport));
            }
            else
            {
                Show(report);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static ImmutableArray<string> Prompts(int count)
    {
        var prompts = PromptFile.Bundled().SelectMany(file => PromptFile.Read(file, count)).Select(prompt => prompt.Turns[0]).ToArray();
        return [.. Enumerable.Range(0, count).Select(i => prompts[i % prompts.Length])];
    }

    private static void Show(ServerBenchReport report)
    {
        var table = new Table().AddColumns(
            "Mode", "Edges", "Tokens/s", "÷ fewest", "ms/token p50", "p95", "First token p50 ms", "Tokens");
        foreach (var row in report.Rows)
        {
            table.AddRow(
                row.Mode,
                $"{row.Edges}",
                $"{row.TokensPerSecond:F1}",
                $"{row.OverOneEdge:F2}",
                $"{row.TimePerTokenP50Ms:F1}",
                $"{row.TimePerTokenP95Ms:F1}",
                $"{row.TimeToFirstTokenP50Ms:F0}",
                $"{row.OutputTokens}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"All texts are equal. Target {report.Target}, draft length {report.DraftLength}.");
    }
}
