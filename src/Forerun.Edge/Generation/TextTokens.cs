using System.Collections.Immutable;

namespace Forerun.Edge.Generation;

/// <summary>Gives tokens with their log probabilities out together with the text that they begin in. One text and one caller at
/// a time.</summary>
internal sealed class TextTokens
{
    private readonly Queue<TextToken> _held = new();
    private int _decoded;
    private int _given;

    /// <summary>Takes in a token of a round, before its text; the end token has none and is left out.</summary>
    public void Add(DecodedRound round, int index)
    {
        var isEndToken = round.End is { Reason: Core.Decoding.FinishReason.Stop } && index == round.Tokens.Length - 1;
        if (!round.LogProbabilities.IsEmpty && !isEndToken)
        {
            _held.Enqueue(new TextToken(round.Tokens[index], _decoded, round.LogProbabilities[index]));
        }
    }

    /// <summary>The token's text, certain or not.</summary>
    public string Decoded(string piece)
    {
        _decoded += piece.Length;
        return piece;
    }

    /// <summary>The tokens that begin in the next piece of text that is certain.</summary>
    /// <param name="length">Characters of the piece.</param>
    /// <param name="isWhole">It is the last one and nothing was cut off: what begins behind it has no text.</param>
    public ImmutableArray<TextToken> Take(int length, bool isWhole)
    {
        _given += length;
        var tokens = ImmutableArray.CreateBuilder<TextToken>();
        while (_held.TryPeek(out var token) && (isWhole || token.Start < _given))
        {
            tokens.Add(_held.Dequeue());
        }

        return tokens.ToImmutable();
    }
}
