using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.Control;

/// <summary>Drafts beside streamed rounds and sends nothing: what the target says anyway tells how drafting would have gone,
/// and nobody waits. One caller at a time.</summary>
/// <param name="drafter">Who drafts.</param>
/// <param name="odds">Learns from every comparison.</param>
/// <param name="time">Measures the steps.</param>
internal sealed class Rehearsal(IDrafter drafter, VerdictOdds odds, TimeProvider time)
{
    private readonly List<int> _streamed = [];
    private TimeSpan? _tokenTime;
    private int _agreed;

    /// <summary>A draft is being compared.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>Begins a draft behind the trunk's tokens.</summary>
    /// <param name="trunk">The committed tokens and nothing drafted.</param>
    /// <param name="length">Most tokens to draft.</param>
    public void Begin(DraftBranch trunk, int length)
    {
        trunk.Wanted = length;
        (IsRunning, _agreed, _tokenTime) = (length > 0, 0, null);
    }

    /// <summary>Drafts one token more.</summary>
    /// <returns>False when there is nothing to draft.</returns>
    public bool Step(DraftBranch trunk)
    {
        if (!IsRunning || trunk.IsComplete)
        {
            return false;
        }

        var (before, started) = (trunk.Count, time.GetTimestamp());
        drafter.Extend(new ReadOnlySpan<DraftBranch>(in trunk));
        var drafted = trunk.Count - before;

        // A model's first step does not count: it also reads what was streamed before, or the whole prompt.
        if (drafted > (before == 0 ? 1 : 0))
        {
            _tokenTime = time.GetElapsedTime(started) / drafted;
        }

        return true;
    }

    /// <summary>Takes in a streamed token.</summary>
    /// <param name="trunk">The trunk; moves behind the token when no draft is compared any more.</param>
    /// <param name="token">The target's token.</param>
    /// <returns>The outcome when the comparison has ended; else null.</returns>
    public RehearsedDraft? Accept(DraftBranch trunk, int token)
    {
        _streamed.Add(token);
        if (IsRunning && !Compare(trunk))
        {
            return null;
        }

        RehearsedDraft? outcome = IsRunning
            ? new(trunk.Count, _agreed, odds.DraftLength(trunk, trunk.Count), trunk.IsEnded, _tokenTime)
            : null;
        End(trunk);
        return outcome;
    }

    /// <summary>Moves the trunk behind all streamed tokens; a comparison that has not ended is given up.</summary>
    public void End(DraftBranch trunk)
    {
        var kept = Math.Min(_agreed, Math.Max(0, _streamed.Count - 1));
        for (var i = kept; i < _streamed.Count; i++)
        {
            trunk.Advance(i == kept ? kept : 0, _streamed[i], wanted: 0);
        }

        _streamed.Clear();
        (IsRunning, _agreed) = (false, 0);
    }

    /// <summary>Compares as far as both sides are known; true when that decides what a verdict would have been.</summary>
    private bool Compare(DraftBranch trunk)
    {
        for (; _agreed < trunk.Count && _agreed < _streamed.Count; _agreed++)
        {
            odds.Learn(trunk[_agreed], _streamed[_agreed]);
            if (trunk[_agreed].Token != _streamed[_agreed])
            {
                return true;
            }
        }

        return trunk.IsComplete && _agreed == trunk.Count && _streamed.Count > _agreed;
    }
}

/// <summary>What a draft's verdict would have been.</summary>
/// <param name="DraftedCount">Tokens drafted; more may have been wanted.</param>
/// <param name="AgreedCount">Tokens that the target chose too, up to the first that it did not.</param>
/// <param name="DraftLength">Tokens that a draft to be verified would have had of those drafted.</param>
/// <param name="IsEnded">The drafter had nothing more to say.</param>
/// <param name="TokenTime">Drafting one token; null = none was drafted.</param>
internal readonly record struct RehearsedDraft(int DraftedCount, int AgreedCount, int DraftLength, bool IsEnded, TimeSpan? TokenTime);
