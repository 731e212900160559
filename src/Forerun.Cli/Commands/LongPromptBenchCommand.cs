using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Tokenization;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun bench long-prompt</c>: how long a prompt of thousands of tokens holds up the others.</summary>
internal static class LongPromptBenchCommand
{
    // Beside what is generated while the prompt is read: before it starts and after it ends.
    private const int SpareTokens = 32;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var edges = new Option<int[]>("--edges")
        {
            Description = "Numbers of other edges, which decode meanwhile; up to 31.",
            DefaultValueFactory = _ => [3],
            AllowMultipleArgumentsPerToken = true,
        };
        var promptTokens = new Option<int>("--prompt-tokens")
        {
            Description = "Tokens of the long prompt, at most the target's context.",
            DefaultValueFactory = _ => 6000,
        };
        var command = new Command("long-prompt", "Time how long a long prompt holds up other edges; a text that differs fails the run.")
        {
            edges, promptTokens, options.Model, options.Json,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var path = BundledModels.Target(parsed.GetValue(options.Model));
            await using var server = await ServerProcess.StartAsync(path, draftPath: null, options: [], cancellationToken);
            ServerProcess.TakeOtherCore();
            var format = TextFormat.Read(path);
            using var verifier = new GrpcVerifier(new GrpcVerifierOptions
            {
                Endpoint = server.Address,
                TokenizerFingerprint = format.Tokenizer.Fingerprint,
                TargetId = server.TargetId,
            });
            int[] counts = [.. parsed.GetRequiredValue(edges).Order()];
            var bench = CreateBench(verifier, format, parsed.GetValue(promptTokens), counts[^1]);
            var rows = ImmutableArray.CreateBuilder<LongPromptRow>();
            foreach (var count in counts)
            {
                rows.Add(await bench.RunAsync(count, cancellationToken));
            }

            var report = new LongPromptReport(server.TargetId, ServerProcess.HasTwoCores, Equal: true, rows.ToImmutable());
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.LongPromptReport));
            }
            else
            {
                Show(report);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static LongPromptBench CreateBench(IVerifier verifier, TextFormat format, int promptTokens, int edges)
    {
        string[] texts = [.. PromptFile.Bundled().SelectMany(file => PromptFile.Read(file, int.MaxValue)).Select(prompt => prompt.Turns[0])];
        var passes = promptTokens / (SchedulerOptions.Default.MaxRows - edges);
        return new LongPromptBench(
            verifier,
            [.. texts.SelectMany(text => format.Tokenizer.Encode(text)).Take(promptTokens)],
            [
                .. texts.Take(edges).Select(text => new GenerationRequest
                {
                    PromptTokens = Inference.Prompt.User(format, text, raw: true),
                    MaxTokens = passes + SpareTokens,
                }),
            ]);
    }

    private static void Show(LongPromptReport report)
    {
        var table = new Table().AddColumns(
            "Edges", "Prompt tokens", "Passes", "Read in s", "Wait alone p50 ms", "Beside p50", "Longest", "Longest pass", "Longest queue");
        foreach (var row in report.Rows)
        {
            table.AddRow(
                $"{row.Edges}",
                $"{row.PromptTokens}",
                $"{row.PromptPasses}",
                $"{row.PromptMs / 1000:F1}",
                $"{row.WaitAloneP50Ms:F1}",
                $"{row.WaitP50Ms:F0}",
                $"{row.LongestWaitMs:F0}",
                $"{row.LongestPassMs:F0}",
                $"{row.LongestQueueMs:F1}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine($"All texts are equal. Target {report.Target}.");
    }
}
