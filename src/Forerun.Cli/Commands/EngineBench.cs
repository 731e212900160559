using System.Collections.Immutable;
using System.Diagnostics;
using Forerun.Cli.Running;
using Forerun.Inference;

namespace Forerun.Cli.Commands;

/// <summary>Times passes of the engine.</summary>
/// <param name="path">Model file.</param>
/// <param name="load">How to load it.</param>
/// <param name="context">Positions in the cache.</param>
/// <param name="repetitions">Timed passes per row count.</param>
internal sealed class EngineBench(string path, ModelLoadOptions load, int context, int repetitions)
{
    private const int PrefillTokens = 512;
    private const int MaxWarmUp = 10;

    private static readonly ImmutableArray<int> RowCounts = [1, 2, 3, 4, 5, 8, 16];

    private readonly ForwardBatch _batch = new();

    /// <summary>Passes before the timed ones: few for few, so that a large model can be measured at all.</summary>
    private int WarmUp => Math.Min(MaxWarmUp, repetitions);

    /// <summary>Measures everything; says what it does.</summary>
    public EngineReport Run(Action<string> progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(context, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(repetitions, 1);
        progress("loading …");
        var start = TimeProvider.System.GetTimestamp();
        using var model = LanguageModel.Load(path, load);
        var loadTime = TimeProvider.System.GetElapsedTime(start);
        using var pass = model.CreatePass(maxRows: 128, maxLogitRows: RowCounts[^1]);
        using var cache = model.CreateCache();
        var tokens = Tokens(model, Math.Max(context, PrefillTokens) + RowCounts[^1]);

        progress($"prefill of {PrefillTokens} tokens …");
        var prefill = Enumerable.Range(0, 1 + Math.Min(3, repetitions)).Select(_ => Prefill(pass, cache, tokens.AsSpan(0, PrefillTokens), cancellationToken)).Skip(1).Median();
        Prefill(pass, cache, tokens.AsSpan(0, context), cancellationToken);
        var timings = Time(pass, cache, tokens, progress, cancellationToken);

        var kvBytes = model.KvBytesInUse;
        using var process = Process.GetCurrentProcess();
        var peak = process.PeakWorkingSet64;
        progress("decode beside plain reading …");
        var decodeBytes = model.WeightBytesPerPass + (model.KvBytesPerPosition * (context + 1));
        var (decodeSpeed, readSpeed) = CompareWithReading(
            decodeBytes, model, () => Step(pass, cache, tokens, rows: 1, cancellationToken));
        var decode = timings[1].Median();
        return new EngineReport
        {
            Model = model.Id,
            InstructionSet = model.InstructionSet.ToString(),
            Weights = load.Weights.ToString(),
            Threads = model.Threads,
            Context = context,
            Results = [.. RowCounts.Select(rows => new RowTiming(
                rows, timings[rows].Median(), timings[rows].Min(), timings[rows].Median() / decode))],
            Verify5OverDecode1 = timings[5].Median() / decode,
            Verify8OverDecode1 = timings[8].Median() / decode,
            Prefill512Ms = prefill,
            DecodeMegabytes = decodeBytes / 1e6,
            DecodeGigabytesPerSecond = decodeSpeed.Median() / 1e9,
            ReadGigabytesPerSecond = readSpeed.Median() / 1e9,
            DecodeShareOfBandwidth = decodeSpeed.Zip(readSpeed, (decoded, read) => decoded / read).Median(),
            LoadMs = loadTime.TotalMilliseconds,
            PeakMegabytes = peak / 1e6,
            WeightMegabytes = model.WeightBytesPerPass / 1e6,
            KvMegabytes = kvBytes / 1e6,
        };
    }

    private static int[] Tokens(LanguageModel model, int count)
    {
        if (count > model.Config.MaxPositionEmbeddings)
        {
            throw new ArgumentException(
                $"The context is too long: {count} positions are needed, the model has {model.Config.MaxPositionEmbeddings}. Use a smaller --context.");
        }

        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(model.Config.VocabSize))];
    }

    private double Prefill(ForwardPass pass, KvCache cache, ReadOnlySpan<int> tokens, CancellationToken cancellationToken)
    {
        cache.RollbackTo(0);
        var start = TimeProvider.System.GetTimestamp();
        for (var first = 0; first < tokens.Length; first += pass.MaxRows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(pass.MaxRows, tokens.Length - first);
            _batch.Clear();
            _batch.Add(cache, tokens.Slice(first, count), first + count == tokens.Length ? 1 : 0);
            pass.Run(_batch);
        }

        return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Times passes of every row count in turn, so that a drifting machine moves all of them alike.</summary>
    private Dictionary<int, List<double>> Time(
        ForwardPass pass, KvCache cache, int[] tokens, Action<string> progress, CancellationToken cancellationToken)
    {
        var times = RowCounts.ToDictionary(rows => rows, _ => new List<double>());
        progress("warm-up …");
        for (var i = -WarmUp; i < repetitions; i++)
        {
            if (i >= 0 && i % 10 == 0)
            {
                progress($"passes, {i} of {repetitions} …");
            }

            foreach (var rows in RowCounts)
            {
                var time = Step(pass, cache, tokens, rows, cancellationToken);
                if (i >= 0)
                {
                    times[rows].Add(time);
                }
            }
        }

        return times;
    }

    /// <summary>Decode steps and plain reading of as many bytes in turn, for the machine's speed drifts; bytes per second.
    /// </summary>
    private (List<double> Decode, List<double> Read) CompareWithReading(long bytes, LanguageModel model, Func<double> step)
    {
        using var reader = new MemoryReader(bytes, model);
        var (decode, read) = (new List<double>(), new List<double>());
        for (var i = -WarmUp; i < repetitions; i++)
        {
            var (decoded, plain) = (bytes / step() * 1e3, reader.Read());
            if (i >= 0)
            {
                decode.Add(decoded);
                read.Add(plain);
            }
        }

        return (decode, read);
    }

    private double Step(ForwardPass pass, KvCache cache, int[] tokens, int rows, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        cache.RollbackTo(context);
        _batch.Clear();
        _batch.Add(cache, tokens.AsSpan(context, rows), rows);
        var start = TimeProvider.System.GetTimestamp();
        pass.Run(_batch);
        return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
    }
}
