using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Forerun.Inference.Tokenization;

/// <summary>Byte-pair encoding of one text, piece by piece: while two neighbours have a merge, the pair of the lowest
/// rank becomes one token, leftmost first. Takes n log n steps for a piece of n symbols. One caller at a time.</summary>
/// <param name="model">What was learned.</param>
internal sealed class BytePairEncoder(IBytePairModel model)
{
    private const int None = -1;
    private readonly ImmutableArray<int>.Builder _output = ImmutableArray.CreateBuilder<int>();
    private readonly List<Symbol> _symbols = [];
    private readonly PriorityQueue<Candidate, (int Rank, int Left)> _candidates = new();

    /// <summary>All tokens so far.</summary>
    public ImmutableArray<int> Tokens => _output.ToImmutable();

    /// <summary>Appends a token as it is.</summary>
    public void Append(int token) => _output.Add(token);

    /// <summary>Appends what a piece becomes.</summary>
    /// <param name="piece">Its symbols, each a token.</param>
    public void Merge(ReadOnlySpan<int> piece)
    {
        _symbols.Clear();
        foreach (var token in piece)
        {
            _symbols.Add(new Symbol { Token = token, Previous = _symbols.Count - 1, Next = _symbols.Count + 1 });
        }

        var symbols = CollectionsMarshal.AsSpan(_symbols);
        if (symbols.IsEmpty)
        {
            return;
        }

        symbols[^1].Next = None;
        MergeAll(symbols);
        for (var i = 0; i != None; i = symbols[i].Next)
        {
            _output.Add(symbols[i].Token);
        }
    }

    private void MergeAll(Span<Symbol> symbols)
    {
        for (var left = 0; left < symbols.Length - 1; left++)
        {
            Propose(symbols, left);
        }

        while (_candidates.TryDequeue(out var pair, out var order))
        {
            var left = order.Left;
            var right = symbols[left].Next;
            if (right == None || symbols[left].Token != pair.Left || symbols[right].Token != pair.Right)
            {
                continue;
            }

            symbols[left] = symbols[left] with { Token = pair.Result, Next = symbols[right].Next };
            symbols[right].Token = None;
            if (symbols[left].Next != None)
            {
                symbols[symbols[left].Next].Previous = left;
                Propose(symbols, left);
            }

            if (symbols[left].Previous != None)
            {
                Propose(symbols, symbols[left].Previous);
            }
        }
    }

    private void Propose(Span<Symbol> symbols, int left)
    {
        var (leftToken, rightToken) = (symbols[left].Token, symbols[symbols[left].Next].Token);
        if (model.MergeOf(leftToken, rightToken) is { } merge)
        {
            _candidates.Enqueue(new Candidate(leftToken, rightToken, merge.Result), (merge.Rank, left));
        }
    }

    /// <summary>A token and its neighbours' indices; a merged right part has token <see cref="None"/>.</summary>
    private record struct Symbol
    {
        public int Token;
        public int Previous;
        public int Next;
    }

    /// <summary>A pair that had a merge when it was proposed; void once a part has changed.</summary>
    private readonly record struct Candidate(int Left, int Right, int Result);
}
