using System.Collections.Immutable;

namespace Forerun.Core.Decoding;

/// <summary>What rounds of one or more generations did, counted on the edge. Immutable; statistics add up with
/// <c>+</c>.</summary>
public sealed record RoundStatistics
{
    /// <summary>No round yet.</summary>
    public static RoundStatistics None { get; } = new();

    /// <summary>Rounds, that is verdicts.</summary>
    public int Rounds { get; init; }

    /// <summary>Tokens of the rounds' drafts.</summary>
    public int DraftedTokens { get; init; }

    /// <summary>Draft tokens that were accepted.</summary>
    public int AcceptedTokens { get; init; }

    /// <summary>Number of rounds in which the draft token at index i was accepted, <c>[longest accepted prefix]</c>.
    /// </summary>
    public ImmutableArray<int> AcceptedPerPosition { get; init; } = [];

    /// <summary>What was drafted ahead; only what hit is also among <see cref="DraftedTokens"/>.</summary>
    public PreDraftStatistics PreDrafts { get; init; } = PreDraftStatistics.None;

    /// <summary>Time spent drafting before sending, that is on the critical path.</summary>
    public TimeSpan DraftTime { get; init; }

    /// <summary>Time between sending a draft and its verdict.</summary>
    public TimeSpan WaitTime { get; init; }

    /// <summary>Accepted plus next tokens.</summary>
    public int OutputTokens => AcceptedTokens + Rounds;

    /// <summary>Draft tokens that were not accepted.</summary>
    public int WastedTokens => DraftedTokens - AcceptedTokens;

    /// <summary>Accepted ÷ drafted; null when nothing was drafted.</summary>
    public double? AcceptanceRate => DraftedTokens == 0 ? null : (double)AcceptedTokens / DraftedTokens;

    /// <summary>Output tokens per round; null before the first round.</summary>
    public double? MeanAcceptanceLength => Rounds == 0 ? null : (double)OutputTokens / Rounds;

    /// <summary>The counts of one round; times are set with <c>with</c>.</summary>
    /// <param name="draftedTokens">Draft length, 0 or more.</param>
    /// <param name="acceptedTokens">Accepted count, 0 … draft length.</param>
    public static RoundStatistics OfRound(int draftedTokens, int acceptedTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(acceptedTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(acceptedTokens, draftedTokens);
        return new()
        {
            Rounds = 1,
            DraftedTokens = draftedTokens,
            AcceptedTokens = acceptedTokens,
            AcceptedPerPosition = [.. Enumerable.Repeat(1, acceptedTokens)],
        };
    }

    /// <summary>The sums of both.</summary>
    public static RoundStatistics operator +(RoundStatistics a, RoundStatistics b)
    {
        var (longer, shorter) = (a.AcceptedPerPosition, b.AcceptedPerPosition);
        if (longer.Length < shorter.Length)
        {
            (longer, shorter) = (shorter, longer);
        }

        return new()
        {
            Rounds = a.Rounds + b.Rounds,
            DraftedTokens = a.DraftedTokens + b.DraftedTokens,
            AcceptedTokens = a.AcceptedTokens + b.AcceptedTokens,
            AcceptedPerPosition = [.. longer.Select((n, i) => i < shorter.Length ? n + shorter[i] : n)],
            PreDrafts = a.PreDrafts + b.PreDrafts,
            DraftTime = a.DraftTime + b.DraftTime,
            WaitTime = a.WaitTime + b.WaitTime,
        };
    }
}
