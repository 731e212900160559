using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun bench engine</c>: what a decode step, a verification and a prefill cost on this machine.</summary>
internal static class BenchCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var context = new Option<int>("--context")
        {
            Description = "Positions in the KV cache before each timed pass.",
            DefaultValueFactory = _ => 256,
        };
        var repetitions = new Option<int>("--repetitions")
        {
            Description = "Timed passes per row count; the median counts.",
            DefaultValueFactory = _ => 41,
        };
        var instructionSet = new Option<Core.Numerics.InstructionSet?>("--instruction-set")
        {
            Description = "Code path; default: the fastest of this machine. All give the same bits.",
        };
        var engine = new Command("engine", "Time passes of 1 to 16 rows, and a prefill of 512 tokens.")
        {
            options.Model, context, repetitions, instructionSet,
        };
        options.AddEngine(engine);
        engine.SetAction((parsed, cancellationToken) =>
        {
            var load = options.Engine(parsed) with { InstructionSet = parsed.GetValue(instructionSet) };
            var bench = new EngineBench(
                BundledModels.Target(parsed.GetValue(options.Model)),
                load,
                parsed.GetValue(context),
                parsed.GetValue(repetitions));
            var json = parsed.GetValue(options.Json);
            var report = bench.Run(json ? _ => { } : Console.Error.WriteLine, cancellationToken);
            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.EngineReport));
            }
            else
            {
                Show(report);
            }

            return Task.FromResult(ExitCodes.Success);
        });
        return new Command("bench", "Measure parts of Forerun.")
        {
            engine, ExitBench.Create(options), ServerBenchCommand.Create(), LongPromptBenchCommand.Create(),
        };
    }

    private static void Show(EngineReport report)
    {
        var table = new Table().AddColumns("Rows", "Median ms", "Fastest ms", "÷ decode(1)", "ms per row");
        foreach (var result in report.Results)
        {
            table.AddRow(
                $"{result.Rows}",
                $"{result.MedianMs:F2}",
                $"{result.FastestMs:F2}",
                $"{result.OverDecode1:F2}",
                $"{result.MedianMs / result.Rows:F2}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(
            $"{report.Model}: {report.InstructionSet}, {report.Threads} threads, context {report.Context}, weights {report.Weights}");
        AnsiConsole.WriteLine(
            $"decode reads {report.DecodeMegabytes:F1} MB at {report.DecodeGigabytesPerSecond:F1} GB/s; plain reading of as much: {report.ReadGigabytesPerSecond:F1} GB/s; share {report.DecodeShareOfBandwidth:P0}");
        AnsiConsole.WriteLine(
            $"prefill of 512: {report.Prefill512Ms:F0} ms; load {report.LoadMs:F0} ms; peak memory {report.PeakMegabytes:F0} MB (weights {report.WeightMegabytes:F1}, KV {report.KvMegabytes:F1})");
    }
}
