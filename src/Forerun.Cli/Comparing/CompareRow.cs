using System.Collections.Immutable;
using Forerun.Cli.Running;

namespace Forerun.Cli.Comparing;

/// <summary>All prompts of a file in one mode, over one link, with one set of options: each property is a figure of the
/// report, in JSON under its name.</summary>
internal sealed partial record CompareRow
{
    private readonly CellKey _key;
    private readonly ImmutableArray<GenerationReport> _runs;
    private readonly ImmutableArray<GenerationReport> _baselines;
    private readonly bool _dependsOnDrafts;

    /// <summary>The row of these cells.</summary>
    /// <param name="key">What they have in common.</param>
    /// <param name="runs">Their generations, at least one.</param>
    /// <param name="baselines">The autoregressive generation of each.</param>
    /// <param name="dependsOnDrafts">Whether texts depend on who drafts.</param>
    internal CompareRow(
        CellKey key,
        ImmutableArray<GenerationReport> runs,
        ImmutableArray<GenerationReport> baselines,
        bool dependsOnDrafts = false) =>
        (_key, _runs, _baselines, _dependsOnDrafts) = (key, runs, baselines, dependsOnDrafts);

    public string Prompts => _key.Prompts;

    public string Link => _key.Link;

    public string Mode => _key.Mode;

    public int? DraftLength => _key.DraftLength;

    public float Temperature => _key.Temperature;

    public ulong Seed => _key.Seed;

    /// <summary>Whether every text equals the autoregressive one, token for token; null where texts depend on who drafts.
    /// </summary>
    public bool? Equal => _dependsOnDrafts ? null : _runs.Zip(_baselines).All(pair => pair.First.Tokens.AsSpan().SequenceEqual(pair.Second.Tokens.AsSpan()));

    public int Generations => _runs.Length;

    public int OutputTokens => Sum(run => run.Tokens.Length);

    /// <summary>From the request to the first output token, prefill included.</summary>
    public double TimeToFirstTokenP50Ms => _runs.Select(run => run.TimeToFirstTokenMs).Median();

    public double TimeToFirstTokenP95Ms => _runs.Select(run => run.TimeToFirstTokenMs).Percentile(0.95);

    /// <summary>Per output token after the first round of a generation; over the generations. Null when all had one round.
    /// </summary>
    public double? TimePerOutputTokenP50Ms => PerToken(0.5);

    public double? TimePerOutputTokenP95Ms => PerToken(0.95);

    /// <summary>Autoregressive time per output token ÷ this mode's, per prompt; the median.</summary>
    public double? Speedup => OrNull(Speedups, 0.5);

    /// <summary>Where the median over more prompts lies with a chance of 95 %; null for fewer than six.</summary>
    public Interval? SpeedupInterval => Known(Speedups).MedianInterval();

    /// <summary>Accepted ÷ drafted; null when nothing was drafted.</summary>
    public double? AcceptanceRate => Sum(run => run.DraftedTokens) is > 0 and var drafted
        ? (double)Sum(run => run.AcceptedTokens) / drafted
        : null;

    /// <summary>Output tokens per round.</summary>
    public double MeanAcceptanceLength => (double)OutputTokens / Rounds;

    /// <summary>Share of the rounds in which the draft token at index i was accepted.</summary>
    public ImmutableArray<double> AcceptancePerPosition =>
    [
        .. Enumerable.Range(0, _runs.Max(run => run.AcceptedPerPosition.Length))
            .Select(i => (double)Sum(run => i < run.AcceptedPerPosition.Length ? run.AcceptedPerPosition[i] : 0) / Rounds),
    ];

    public int Rounds => Sum(run => run.Rounds);

    public int TargetPasses => Sum(run => run.TargetPasses);

    public double TargetPassesPerToken => (double)TargetPasses / OutputTokens;

    /// <summary>Message bytes, edge to cloud.</summary>
    public long BytesUp => _runs.Sum(run => run.BytesUp);

    /// <summary>Message bytes, cloud to edge.</summary>
    public long BytesDown => _runs.Sum(run => run.BytesDown);

    public double BytesPerRound => (double)(BytesUp + BytesDown) / Rounds;

    /// <summary>Drafting ÷ all time.</summary>
    public double EdgeShare => Share(run => run.DraftMs);

    /// <summary>Waiting while the server computes or queues ÷ all time.</summary>
    public double CloudShare => Share(run => run.CloudWaitMs);

    /// <summary>The rest of the waiting ÷ all time: link and protocol.</summary>
    public double NetworkShare => Share(run => run.WaitMs - run.CloudWaitMs);

    /// <summary>Neither drafting nor waiting ÷ all time: the loop itself. 0 where drafting and waiting overlap.</summary>
    public double IdleShare => Math.Max(0, Share(run => run.TotalMs - run.DraftMs - run.WaitMs));

    /// <summary>Server compute ÷ output tokens, prefill included.</summary>
    public double ServerMsPerToken => _runs.Sum(run => run.ServerComputeMs) / OutputTokens;

    /// <summary>Median wait of a round less the server's queue and compute; null where verdicts are streamed.</summary>
    public double? LinkMsPerRound => OrNull(_runs.Select(run => run.LinkMsPerRound), 0.5);

    /// <summary>Where this machine was slower than what it emulates; null where nothing is emulated.</summary>
    public OverrunReport? Overruns => _runs[0].Emulated is null
        ? null
        : _runs.Select(run => run.Overruns!).Aggregate((sum, run) => sum + run);

    private IEnumerable<double?> Speedups => _baselines.Zip(_runs, TimeRatio);

    private double? PerToken(double share) => OrNull(_runs.Select(run => run.TimePerOutputTokenMs), share);

    private double Share(Func<GenerationReport, double> part) => _runs.Sum(part) / _runs.Sum(run => run.TotalMs);

    private int Sum(Func<GenerationReport, int> count) => _runs.Sum(count);

    private static double? OrNull(IEnumerable<double?> values, double share)
    {
        double[] known = [.. Known(values)];
        return known.Length == 0 ? null : known.Percentile(share);
    }

    private static IEnumerable<double> Known(IEnumerable<double?> values) => values.OfType<double>();
}
