using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary>What one exit costs.</summary>
/// <param name="Layer">Number of layers run.</param>
/// <param name="MedianMs">Median of an announcement, on one thread.</param>
/// <param name="Share">That ÷ the median of a verification.</param>
internal sealed record ExitTiming(int Layer, double MedianMs, double Share);

/// <summary>Result of <c>forerun bench exits</c>.</summary>
internal sealed record ExitBenchReport(
    string Model, string InstructionSet, int Threads, int Rows, double VerificationMs, ImmutableArray<ExitTiming> Exits, double TotalShare);

/// <summary><c>forerun bench exits</c>: what the exits of a verification cost beside it.</summary>
internal static class ExitBench
{
    private const int DraftLength = 4;
    private const int WarmUp = 20;

    /// <summary>The command.</summary>
    public static Command Create(CommonOptions options)
    {
        var exits = new ExitOptions();
        var repetitions = new Option<int>("--repetitions")
        {
            Description = "Timed verifications; the median counts.",
            DefaultValueFactory = _ => 101,
        };
        var command = new Command("exits", "Time the exits of a verification of 5 rows.") { options.Model, repetitions };
        exits.AddTo(command);
        options.AddEngine(command);
        command.SetAction((parsed, cancellationToken) =>
        {
            var targetPath = BundledModels.Target(parsed.GetValue(options.Model));
            using var target = LanguageModel.Load(targetPath, options.Engine(parsed));
            using var heads = exits.Load(parsed, target, targetPath) ?? throw new FileNotFoundException(
                $"There are no exits of \"{target.Id}\" to time: expected {ExitOptions.FileName} beside the model. Name a file with {exits.File.Name}, or make one with train-exits.");
            var report = Run(target, heads, parsed.GetValue(repetitions), cancellationToken);
            if (parsed.GetValue(options.Json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.ExitBenchReport));
            }
            else
            {
                Show(report);
            }

            return Task.FromResult(ExitCodes.Success);
        });
        return command;
    }

    private static ExitBenchReport Run(
        LanguageModel target, ExitHeads heads, int repetitions, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repetitions, 1);
        const int Context = 256;
        var random = new Random(1);
        int[] tokens = [.. Enumerable.Range(0, Context + 1 + DraftLength).Select(_ => random.Next(target.Config.VocabSize))];
        using var cache = target.CreateCache();
        using var pass = target.CreatePass(Context, DraftLength + 1);
        using var scratch = heads.CreateScratch(DraftLength + 1, DraftLength);
        var announcer = new ExitAnnouncer(
            heads, SamplingOptions.Default, new GenerationLimits(target.Config.MaxPositionEmbeddings, Context, maxTokens: 0));
        var batch = new ForwardBatch();
        batch.Add(cache, tokens.AsSpan(0, Context), 0);
        pass.Run(batch);
        var verifications = new List<double>();
        var announcements = heads.Layers.Select(_ => new List<double>()).ToArray();
        var hidden = new float[(DraftLength + 1) * target.Config.HiddenSize];
        for (var i = -WarmUp; i < repetitions; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            cache.RollbackTo(Context);
            batch.Clear();
            batch.Add(cache, tokens.AsSpan(Context), DraftLength + 1);
            var verification = Time(() => pass.Run(batch));
            for (var row = 0; row <= DraftLength; row++)
            {
                pass.HiddenStates(row).CopyTo(hidden.AsSpan(row * target.Config.HiddenSize));
            }

            for (var exit = 0; exit < announcements.Length; exit++)
            {
                var index = exit;
                var time = Time(() => announcer.Announce(scratch, index, hidden, tokens, Context + 1));
                if (i >= 0)
                {
                    announcements[exit].Add(time);
                }
            }

            if (i >= 0)
            {
                verifications.Add(verification);
            }
        }

        var verify = verifications.Median();
        var timings = heads.Layers.Select((layer, i) =>
            new ExitTiming(layer, announcements[i].Median(), announcements[i].Median() / verify)).ToImmutableArray();
        return new ExitBenchReport(
            target.Id, target.InstructionSet.ToString(), target.Threads, DraftLength + 1, verify, timings, timings.Sum(timing => timing.Share));
    }

    private static double Time(Action work)
    {
        var start = TimeProvider.System.GetTimestamp();
        work();
        return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
    }

    private static void Show(ExitBenchReport report)
    {
        var table = new Table().AddColumns("Exit layer", "Median ms", "Of a verification");
        foreach (var timing in report.Exits)
        {
            table.AddRow($"{timing.Layer}", $"{timing.MedianMs:F3}", $"{timing.Share:P1}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(
            $"{report.Model}: {report.InstructionSet}, {report.Threads} threads; verification of {report.Rows} rows {report.VerificationMs:F2} ms; all exits {report.TotalShare:P1} of it, on one thread");
    }
}
