using System.Runtime.CompilerServices;

namespace Forerun.Inference.Drafting;

/// <summary>A drafter's choices after the first, likeliest first.</summary>
public struct TokenAlternatives : IEquatable<TokenAlternatives>
{
    /// <summary>Most alternatives.</summary>
    public const int Capacity = 11;

    private Tokens _tokens;

    /// <summary>Takes the first of them that fit.</summary>
    public TokenAlternatives(ReadOnlySpan<int> tokens)
    {
        Count = Math.Min(tokens.Length, Capacity);
        tokens[..Count].CopyTo(_tokens);
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>The alternative of a rank, 0 = the second choice.</summary>
    public readonly int this[int rank] => _tokens[rank];

    /// <summary>The same tokens in the same order.</summary>
    public static bool operator ==(TokenAlternatives left, TokenAlternatives right) => left.Equals(right);

    /// <summary>Other tokens, or another order.</summary>
    public static bool operator !=(TokenAlternatives left, TokenAlternatives right) => !left.Equals(right);

    /// <inheritdoc/>
    public readonly bool Equals(TokenAlternatives other) =>
        ((ReadOnlySpan<int>)_tokens)[..Count].SequenceEqual(((ReadOnlySpan<int>)other._tokens)[..other.Count]);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is TokenAlternatives other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(Count, _tokens[0]);

    [InlineArray(Capacity)]
    private struct Tokens
    {
        private int _first;
    }
}
