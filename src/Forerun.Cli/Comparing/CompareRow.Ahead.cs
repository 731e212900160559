using System.Collections.Immutable;
using Forerun.Cli.Running;

namespace Forerun.Cli.Comparing;

/// <content>What drafting ahead did, and what it hid. Every figure is null in modes that draft nothing ahead. A rate is a
/// share of the verdicts that could be hit; it is null where there were none.</content>
internal sealed partial record CompareRow
{
    /// <summary>The generations of mode speculative over the same cells; empty where there are none, as for a mode that
    /// chooses its own draft length.</summary>
    internal ImmutableArray<GenerationReport> Speculative { get; init; } = [];

    /// <summary>Whether the link adds a round trip.</summary>
    internal bool HasRoundTrip { get; init; }

    /// <summary>Whether the mode drafts ahead.</summary>
    internal bool DraftsAhead => _runs[0].PreDrafts is not null;

    /// <summary>Verdicts that something was drafted for.</summary>
    public double? HitRate => Rate(drafts => drafts.Hits);

    /// <summary>Of these, full acceptance as the drafter expected it.</summary>
    public double? FullAcceptanceHitRate => Rate(drafts => drafts.FullAcceptanceHits);

    /// <summary>Of the hits, an alternative of the drafter.</summary>
    public double? AlternativeHitRate => Rate(drafts => drafts.AlternativeHits);

    /// <summary>Of the hits, verdicts that an exit announced.</summary>
    public double? AnnouncementHitRate => Rate(drafts => drafts.AnnouncementHits);

    /// <summary>Hits whose draft was finished when the verdict came.</summary>
    public double? FinishedHitRate => Rate(drafts => drafts.FinishedHits);

    /// <summary>Hits whose draft was sent before the verdict came.</summary>
    public double? SentHitRate => Rate(drafts => drafts.SentHits);

    /// <summary>Tokens drafted ahead ÷ all rounds.</summary>
    public double? TokensAheadPerRound => PerRound(drafts => drafts.Tokens);

    /// <summary>Of these, those for verdicts that did not come.</summary>
    public double? WastedTokensPerRound => PerRound(drafts => drafts.WastedTokens);

    /// <summary>1 - drafting time before sending per round ÷ the same of mode speculative, over the rounds after the first of
    /// each generation; below 0 where more is left of it. Null without mode speculative, or where that drafted nothing.
    /// </summary>
    public double? DraftingHidden => Speculative.Any(run => run.DraftedTokens > 0) ? Hidden(run => run.LaterDraftMs) : null;

    /// <summary>1 - wait that is not the server's queue or compute, per round ÷ the same of mode speculative, over the rounds
    /// after the first of each generation; below 0 where more is left of it. Null without mode speculative, or where the link
    /// has no round trip.</summary>
    public double? RoundTripHidden => HasRoundTrip ? Hidden(run => run.LaterLinkMs) : null;

    private double? Rate(Func<PreDraftReport, int> count) => SumAhead(drafts => drafts.Rounds) is > 0 and var verdicts
        ? (double)SumAhead(count) / verdicts
        : null;

    private double? PerRound(Func<PreDraftReport, int> count) => DraftsAhead ? (double)SumAhead(count) / Rounds : null;

    private int SumAhead(Func<PreDraftReport, int> count) => Sum(run => run.PreDrafts is { } drafts ? count(drafts) : 0);

    private double? Hidden(Func<GenerationReport, double> time) =>
        DraftsAhead && PerLaterRound(Speculative, time) is > 0 and var all ? 1 - (PerLaterRound(_runs, time) / all) : null;

    private static double? PerLaterRound(ImmutableArray<GenerationReport> runs, Func<GenerationReport, double> time) =>
        runs.Sum(run => run.Rounds - 1) is > 0 and var rounds ? runs.Sum(time) / rounds : null;
}
