using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Inference.Drafting;

/// <summary>One line of drafting: the tokens it follows, those drafted behind them, and what its drafter keeps for it. A
/// drafter extends it; forks share the drafter's cache until either grows. One user at a time. Reusable: nothing is
/// allocated for a token.</summary>
public sealed class DraftBranch : IDisposable
{
    private readonly List<DraftedToken> _drafted = new(capacity: 17);
    private int[] _tokens = [];

    /// <summary>Tokens it follows.</summary>
    public int ContextLength { get; private set; }

    /// <summary>Tokens drafted so far.</summary>
    public int Count => _drafted.Count;

    /// <summary>Most tokens to draft; may be raised later.</summary>
    public int Wanted { get; set; }

    /// <summary>The drafter has nothing more to say: the text ended, or its context is full.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Nothing is left to draft.</summary>
    public bool IsComplete => IsEnded || Count >= Wanted;

    /// <summary>The tokens it follows and those drafted, <c>[ContextLength + Count]</c>.</summary>
    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, ContextLength + Count);

    /// <summary>The drafted tokens, <c>[Count]</c>.</summary>
    public ReadOnlySpan<int> Drafted => _tokens.AsSpan(ContextLength, Count);

    /// <summary>Keys and values of a prefix of <see cref="Tokens"/>; null until a model drafts.</summary>
    internal KvCache? Cache { get; set; }

    /// <summary>A drafted token with its alternatives.</summary>
    public DraftedToken this[int index] => _drafted[index];

    /// <summary>Starts over behind a history; what it shares with what is cached stays cached.</summary>
    /// <param name="history">At least one token.</param>
    /// <param name="wanted">Most tokens to draft.</param>
    public void Follow(ReadOnlySpan<int> history, int wanted)
    {
        var cached = Cache?.Length ?? 0;
        Cache?.RollbackTo(history[..^1].CommonPrefixLength(_tokens.AsSpan(0, cached)));
        EnsureCapacity(history.Length);
        history.CopyTo(_tokens);
        Restart(history.Length, wanted);
    }

    /// <summary>Starts over behind a verdict on what was drafted.</summary>
    /// <param name="acceptedCount">Drafted tokens that stand, 0 … Count.</param>
    /// <param name="nextToken">The token that follows them.</param>
    /// <param name="wanted">Most tokens to draft.</param>
    public void Advance(int acceptedCount, int nextToken, int wanted)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(acceptedCount, Count);
        var kept = ContextLength + acceptedCount;
        Cache?.RollbackTo(Math.Min(Cache.Length, kept));
        EnsureCapacity(kept + 1);
        _tokens[kept] = nextToken;
        Restart(kept + 1, wanted);
    }

    /// <summary>The first drafted tokens stand: they belong to what the branch follows, and the rest stays drafted.</summary>
    /// <param name="count">How many, 0 … Count.</param>
    public void Confirm(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        _drafted.RemoveRange(0, count);
        ContextLength += count;
        Wanted = Math.Max(0, Wanted - count);
    }

    /// <summary>Becomes what <paramref name="trunk"/> would be after a verdict; the trunk stays as it is.</summary>
    /// <inheritdoc cref="Advance"/>
    public void ForkFrom(DraftBranch trunk, int acceptedCount, int nextToken, int wanted)
    {
        Dispose();
        EnsureCapacity(trunk.Tokens.Length + 1);
        trunk.Tokens.CopyTo(_tokens);
        _drafted.AddRange(trunk._drafted);
        ContextLength = trunk.ContextLength;
        Cache = trunk.Cache?.Fork();
        Advance(acceptedCount, nextToken, wanted);
    }

    /// <summary>Appends a drafted token.</summary>
    public void Append(DraftedToken token)
    {
        EnsureCapacity(ContextLength + Count + 1);
        _tokens[ContextLength + Count] = token.Token;
        _drafted.Add(token);
    }

    /// <summary>The first drafted tokens as a round's draft.</summary>
    /// <param name="round">The round.</param>
    /// <param name="length">Most tokens; more may be drafted.</param>
    /// <param name="withDraftProbs">Whether it brings what each token was drawn from; itself alone where its drafter left nothing to
    /// chance.</param>
    /// <param name="assumption">The verdict it follows, where that has not come.</param>
    public Draft ToDraft(int round, int length, bool withDraftProbs, Assumption? assumption = null)
    {
        var drafted = _drafted.Take(length).ToList();
        return new Draft(round, ContextLength, [.. drafted.Select(token => token.Token)], assumption)
        {
            DraftProbs = withDraftProbs
                ? [.. drafted.Select(token => token.DraftProbs ?? SparseDistribution.Certain(token.Token))]
                : [],
        };
    }

    /// <summary>Nothing more will be drafted.</summary>
    public void End() => IsEnded = true;

    /// <summary>Gives the drafter's cache back and empties the branch, which may be used again.</summary>
    public void Dispose()
    {
        Cache?.Dispose();
        Cache = null;
        Restart(0, 0);
    }

    private void Restart(int contextLength, int wanted)
    {
        ContextLength = contextLength;
        Wanted = wanted;
        IsEnded = false;
        _drafted.Clear();
    }

    private void EnsureCapacity(int length)
    {
        if (length > _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Max(length + 32, _tokens.Length * 2));
        }
    }
}
