using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Comparing;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Links;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun compare</c>: every mode on many prompts over several links, equality of the texts first. This
/// process is the edge; the server is a process of its own.</summary>
internal static class CompareCommand
{
    private static readonly double[] DefaultRoundTripsMs = [0, 5, 20];

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CompareOptions();
        var command = new Command("compare", "Compare the modes on many prompts, equality of the texts first.");
        options.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(options, parsed, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(CompareOptions options, ParseResult parsed, CancellationToken cancellationToken)
    {
        var links = options.Links.Profiles(parsed, DefaultRoundTripsMs);
        var sets = options.ReadPrompts(parsed);
        var targetPath = BundledModels.Target(parsed.GetValue(options.Common.Model));
        await using var server = await ServerProcess.StartAsync(targetPath, cancellationToken);
        if (ServerProcess.HasTwoCores)
        {
            ProcessCores.Restrict(1);
        }

        using var draft = LanguageModel.Load(
            BundledModels.Draft(parsed.GetValue(options.Common.DraftModel)), new ModelLoadOptions { Threads = 1 });
        using var drafter = new ModelDrafter(draft);
        var settings = options.Settings(parsed, server.TargetId, draft, sets, links);
        var output = parsed.GetValue(options.Output);
        using var store = CellStore.Open(output, settings);
        var plan = new ComparePlan(settings, sets);
        var run = new CompareRun(
            plan, store, planned => Request(planned), link => Connect(link, server, settings.LinkSeed, draft, drafter))
        {
            SkipUnsupported = !options.ModesAreNamed(parsed),
        };
        var json = parsed.GetValue(options.Common.Json);
        var total = links.Sum(link => plan.Over(link).Length);
        var difference = await KeepingAsync(store, total, output, () => CompareProgress.RunAsync(
            visible: !json && !Console.IsErrorRedirected, total, progress => run.RunAsync(links, progress, cancellationToken)));
        var report = difference is { } found
            ? new CompareReport(false, Explain(found.Planned, found.Baseline, found.Cell), settings, [])
            : CompareReport.Of(settings, plan, links, store);
        foreach (var mode in run.Unsupported)
        {
            await Console.Error.WriteLineAsync($"The server does not offer the mode {ModeNames.Of(mode)}; it is left out.");
        }

        return await ShowAsync(report, json, output);

        GenerationRequest Request(PlannedCell planned) => new()
        {
            PromptTokens = Prompt.Tokens(draft, planned.Text, settings.Raw),
            MaxTokens = settings.MaxTokens,
            Mode = planned.Mode,
            Sampling = planned.Sampling,
        };

        Difference Explain(PlannedCell planned, Cell baseline, Cell cell)
        {
            using var target = LanguageModel.Load(targetPath);
            return Difference.Of(baseline, cell, Request(planned).PromptTokens, target);
        }
    }

    private static CompareEdge Connect(
        LinkProfile profile, ServerProcess server, int seed, LanguageModel draft, IDrafter drafter)
    {
        var link = profile == LinkProfile.Loopback ? null : new LinkRelay(server.Address, profile, seed);
        var verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = link?.Address ?? server.Address,
            TokenizerFingerprint = draft.Tokenizer.Fingerprint,
            TargetId = server.TargetId,
        });
        return new CompareEdge(verifier, drafter, draft.Tokenizer, server.TargetId, link);
    }

    /// <summary>Tells what is kept when the work is stopped.</summary>
    private static async Task<T> KeepingAsync<T>(CellStore store, int total, string? output, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (output is not null)
        {
            await Console.Error.WriteLineAsync(
                $"{store.Count} of {total} generations are done and kept in \"{output}\"; the same command goes on from there.");
            throw;
        }
    }

    private static async Task<int> ShowAsync(CompareReport report, bool json, string? output)
    {
        var document = JsonSerializer.Serialize(report, ReportJson.Default.CompareReport);
        if (output is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(output, "report.json"), document);
            await File.WriteAllTextAsync(Path.Combine(output, "report.md"), CompareMarkdown.Of(report));
        }

        if (json)
        {
            Console.WriteLine(document);
        }
        else if (report.Equal)
        {
            ShowTable(CompareColumns.Speed, report.Modes);
            ShowTable(CompareColumns.Cost, report.Modes);
            AnsiConsole.WriteLine($"Every text is equal, token for token. Target {report.Settings.Target}; {report.Settings.Machine.Cpu}, {report.Settings.Machine.InstructionSet}.");
        }

        if (report.Difference is { } difference)
        {
            await Console.Error.WriteLineAsync($"forerun: {difference.Describe()}");
        }

        return report.Equal ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static void ShowTable(ImmutableArray<CompareColumn> columns, ImmutableArray<CompareRow> rows)
    {
        var table = new Table().AddColumns([.. columns.Select(column => Markup.Escape(column.Header))]);
        foreach (var row in rows)
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(column.Value(row)))]);
        }

        AnsiConsole.Write(table);
    }
}
