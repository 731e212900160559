using System.Runtime.InteropServices;

namespace Forerun.Inference;

/// <summary>The rows of one pass: runs of tokens of one or more sequences, each with its own cache and position. Reused
/// from pass to pass; one user at a time.</summary>
public sealed class ForwardBatch
{
    private readonly List<int> _tokens = [];
    private readonly List<BatchSegment> _segments = [];
    private readonly List<int> _logitRows = [];

    /// <summary>Tokens to run.</summary>
    public int RowCount => _tokens.Count;

    /// <summary>Rows whose logits are wanted.</summary>
    public int LogitRowCount => _logitRows.Count;

    internal ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    internal ReadOnlySpan<BatchSegment> Segments => CollectionsMarshal.AsSpan(_segments);

    /// <summary>Rows of the batch that want logits, ascending.</summary>
    public ReadOnlySpan<int> LogitRows => CollectionsMarshal.AsSpan(_logitRows);

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        _tokens.Clear();
        _segments.Clear();
        _logitRows.Clear();
    }

    /// <summary>Appends tokens of a sequence; they take the positions behind its cache's length.</summary>
    /// <param name="cache">The sequence; at most once per batch.</param>
    /// <param name="tokens">At least one token id.</param>
    /// <param name="logitRows">The last so many tokens get logits, 0 … tokens.Length.</param>
    /// <returns>Index of the first of them among the pass's logit rows.</returns>
    /// <exception cref="ArgumentException">No tokens, too many logit rows, or the cache is in the batch already.</exception>
    /// <exception cref="InvalidOperationException">The cache has no room.</exception>
    public int Add(KvCache cache, ReadOnlySpan<int> tokens, int logitRows)
    {
        ArgumentNullException.ThrowIfNull(cache);
        if (tokens.IsEmpty)
        {
            throw new ArgumentException("A batch needs at least one token per sequence, got none.", nameof(tokens));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(logitRows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(logitRows, tokens.Length);
        foreach (var segment in Segments)
        {
            if (segment.Cache == cache)
            {
                throw new ArgumentException("The cache is in this batch already: add its tokens in one call.", nameof(cache));
            }
        }

        cache.Reserve(tokens.Length);
        var firstLogitRow = _logitRows.Count;
        _segments.Add(new BatchSegment(cache, _tokens.Count, tokens.Length, cache.Length));
        _tokens.AddRange(tokens);
        for (var row = _tokens.Count - logitRows; row < _tokens.Count; row++)
        {
            _logitRows.Add(row);
        }

        return firstLogitRow;
    }
}

/// <summary>One sequence's rows in a batch.</summary>
/// <param name="Cache">Its cache.</param>
/// <param name="FirstRow">First row in the batch.</param>
/// <param name="RowCount">Rows.</param>
/// <param name="Position">Absolute position of the first row.</param>
internal readonly record struct BatchSegment(KvCache Cache, int FirstRow, int RowCount, int Position)
{
    /// <summary>Makes sure that the cache is as it was when its tokens were added, and owns the pages to be written: a fork
    /// made in between shares them.</summary>
    public void ThrowIfStale()
    {
        if (Cache.Length != Position)
        {
            throw new InvalidOperationException(
                $"A KV cache of the batch has length {Cache.Length}, expected {Position}: it was used after its tokens were added. Build the batch again.");
        }

        Cache.Reserve(RowCount);
    }
}
