namespace Forerun.Core.Decoding;

/// <summary>Who expected a verdict (k, t).</summary>
public enum VerdictPredictor
{
    /// <summary>The drafter: everything is accepted, and it goes on as the drafter would.</summary>
    FullAcceptance,

    /// <summary>The drafter: a token is rejected, and one of its alternatives comes instead.</summary>
    Alternative,

    /// <summary>An early exit of the target.</summary>
    Announcement,
}

/// <summary>What drafting ahead did, counted on the edge. A hit is a verdict that something was drafted for. Immutable;
/// statistics add up with <c>+</c>.</summary>
public sealed record PreDraftStatistics
{
    /// <summary>No round yet.</summary>
    public static PreDraftStatistics None { get; } = new();

    /// <summary>Verdicts that could be hit: all but the last of a generation.</summary>
    public int Rounds { get; init; }

    /// <summary>Hits that expected full acceptance.</summary>
    public int FullAcceptanceHits { get; init; }

    /// <summary>Hits that expected an alternative of the drafter.</summary>
    public int AlternativeHits { get; init; }

    /// <summary>Hits that an exit announced; counted where no other predictor gave the key a better chance when it was
    /// begun.</summary>
    public int AnnouncementHits { get; init; }

    /// <summary>Hits whose draft was finished when the verdict came.</summary>
    public int FinishedHits { get; init; }

    /// <summary>Hits whose draft was sent before the verdict came.</summary>
    public int SentHits { get; init; }

    /// <summary>Drafts sent before their verdict.</summary>
    public int SentDrafts { get; init; }

    /// <summary>Tokens drafted ahead.</summary>
    public int Tokens { get; init; }

    /// <summary>Of these and of earlier rounds', those for verdicts that cannot come any more.</summary>
    public int WastedTokens { get; init; }

    /// <summary>Time spent drafting while the target verified.</summary>
    public TimeSpan HiddenTime { get; init; }

    /// <summary>All hits.</summary>
    public int Hits => FullAcceptanceHits + AlternativeHits + AnnouncementHits;

    /// <summary>Hits ÷ rounds; null before the first round.</summary>
    public double? HitRate => Rounds == 0 ? null : (double)Hits / Rounds;

    /// <summary>The sums of both.</summary>
    public static PreDraftStatistics operator +(PreDraftStatistics a, PreDraftStatistics b) => new()
    {
        Rounds = a.Rounds + b.Rounds,
        FullAcceptanceHits = a.FullAcceptanceHits + b.FullAcceptanceHits,
        AlternativeHits = a.AlternativeHits + b.AlternativeHits,
        AnnouncementHits = a.AnnouncementHits + b.AnnouncementHits,
        FinishedHits = a.FinishedHits + b.FinishedHits,
        SentHits = a.SentHits + b.SentHits,
        SentDrafts = a.SentDrafts + b.SentDrafts,
        Tokens = a.Tokens + b.Tokens,
        WastedTokens = a.WastedTokens + b.WastedTokens,
        HiddenTime = a.HiddenTime + b.HiddenTime,
    };
}
