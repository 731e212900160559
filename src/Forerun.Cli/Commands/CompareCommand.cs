using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Comparing;
using Forerun.Cli.Running;
using Forerun.Inference;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun compare</c>: every mode on many prompts over several links, equality of the texts first. This
/// process is the edge; the server is a process of its own.</summary>
internal static class CompareCommand
{
    private const int EmulatedWarmUpTokens = 4;

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
        var emulated = EmulateOption.Profile(parsed, options.Emulate);
        var links = options.Links.Profiles(
            parsed, emulated is null ? DefaultRoundTripsMs : [emulated.Network.TotalMilliseconds]);
        var sets = options.ReadPrompts(parsed);
        var targetPath = BundledModels.Target(parsed.GetValue(options.Common.Model));
        await using var server = await ServerProcess.StartAsync(
            targetPath,
            BundledModels.Draft(parsed.GetValue(options.Common.DraftModel)),
            [.. EmulateOption.Arguments(parsed.GetValue(options.Emulate)), .. options.Common.ForwardKeepAwake(parsed)],
            cancellationToken);
        ServerProcess.TakeOtherCore();
        using var awake = parsed.GetValue(options.Common.KeepAwake) ? new AwakeCores() : null;

        using var draft = options.Drafter.Load(
            parsed, options.Common.DraftModel, ModelLoadOptions.Draft with { Threads = 1 }, tokenizerPath: () => targetPath, emulated);
        var settings = options.Settings(parsed, server.TargetId, draft, sets, links);
        var setup = new CompareSetup(server, targetPath, draft, settings);
        var output = parsed.GetValue(options.Output);
        using var store = CellStore.Open(output, settings);
        var plan = new ComparePlan(settings, sets);
        var run = new CompareRun(plan, store, setup.Request, setup.Connect)
        {
            SkipUnsupported = !options.ModesAreNamed(parsed),
            WarmUpTokens = emulated is null ? CompareRun.DefaultWarmUpTokens : EmulatedWarmUpTokens,
        };
        var json = parsed.GetValue(options.Common.Json);
        var bar = new CompareProgress(!json && !Console.IsErrorRedirected, links.Sum(link => plan.Over(link).Length));
        var difference = await KeepingAsync(
            store, output, () => bar.RunAsync(progress => run.RunAsync(links, progress, cancellationToken)), cancellationToken);
        foreach (var mode in run.Unsupported)
        {
            await Console.Error.WriteLineAsync($"The server does not offer the mode {ModeNames.Of(mode)}; it is left out.");
        }

        var report = difference is { } found
            ? new CompareReport(false, setup.Explain(found.Planned, found.Baseline, found.Cell), settings, [])
            : CompareReport.Of(settings, plan, links, store);
        return await ShowAsync(report, json, output);
    }

    /// <summary>Tells what is kept when the work is stopped.</summary>
    private static async Task<T> KeepingAsync<T>(
        CellStore store, string? output, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl+C reaches the server too, so that the connection may be the first to tell.
            await Console.Error.WriteLineAsync(output is null
                ? "Stopped. With --output DIR, finished generations are kept."
                : $"{store.Count} generations are done and kept in \"{output}\"; the same command goes on from there.");
            throw new OperationCanceledException(cancellationToken);
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
        else if (report.Difference is null)
        {
            foreach (var table in CompareTable.Of(report.Modes))
            {
                Show(table);
            }

            if (report.DescribeEmulation() is { } emulation)
            {
                AnsiConsole.WriteLine(emulation);
            }

            AnsiConsole.WriteLine($"{report.DescribeEquality()} Target {report.Settings.Target}; {report.Settings.Machine.Cpu}, {report.Settings.Machine.InstructionSet}.");
        }

        if (report.Difference is { } difference)
        {
            await Console.Error.WriteLineAsync($"forerun: {difference.Describe()}");
        }

        return report.Difference is null ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static void Show(CompareTable table)
    {
        var shown = new Table { Title = new TableTitle(table.Title) }
            .AddColumns([.. table.Columns.Select(column => Markup.Escape(column.Header))]);
        foreach (var row in table.Rows)
        {
            shown.AddRow([.. table.Columns.Select(column => Markup.Escape(column.Value(row)))]);
        }

        AnsiConsole.Write(shown);
    }
}
