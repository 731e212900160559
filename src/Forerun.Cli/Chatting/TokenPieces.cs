using Forerun.Edge;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Chatting;

/// <summary>Where a token comes from.</summary>
internal enum TokenOrigin
{
    /// <summary>Nothing was drafted: the target's token, or in edge-only the draft model's.</summary>
    Plain,

    /// <summary>Drafted, and the target's own choice too.</summary>
    Accepted,

    /// <summary>The target's, in place of a draft token that was rejected.</summary>
    Recovered,

    /// <summary>The target's, behind a wholly accepted draft.</summary>
    Bonus,
}

/// <summary>Text and where it comes from.</summary>
internal readonly record struct TokenPiece(string Text, TokenOrigin Origin);

/// <summary>Cuts one answer into pieces by origin. A character whose bytes are spread over several tokens belongs to the
/// token that completes it: half a character is never shown.</summary>
internal sealed class TokenPieces(Tokenizer tokenizer)
{
    private readonly TextStream _stream = new(tokenizer);

    /// <summary>The pieces that became certain with this round, in order; together they are its text.</summary>
    public IEnumerable<TokenPiece> Of(DecodedRound round)
    {
        for (var i = 0; i < round.Tokens.Length; i++)
        {
            yield return new TokenPiece(_stream.Append(round.Tokens[i]), OriginOf(round, i));
        }

        if (round.End is not null)
        {
            yield return new TokenPiece(_stream.Flush(), OriginOf(round, round.Tokens.Length - 1));
        }
    }

    private static TokenOrigin OriginOf(DecodedRound round, int index) =>
        index < round.AcceptedCount ? TokenOrigin.Accepted
        : round.DraftLength == 0 ? TokenOrigin.Plain
        : round.AcceptedCount == round.DraftLength ? TokenOrigin.Bonus
        : TokenOrigin.Recovered;
}
