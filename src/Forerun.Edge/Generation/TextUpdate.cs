using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Edge.Generation;

/// <summary>What one round added to the text.</summary>
/// <param name="Text">Text that is certain now; empty where a character or a stop string may still be growing.</param>
/// <param name="Round">The round it came from.</param>
/// <param name="End">Set on the last update only.</param>
public sealed record TextUpdate(string Text, DecodedRound Round, TextEnd? End)
{
    /// <summary>Of the tokens that begin in <see cref="Text"/>; empty unless asked for. The end token has no text and is not
    /// among them.</summary>
    public ImmutableArray<TextToken> Tokens { get; init; } = [];
}

/// <summary>An output token in its text.</summary>
/// <param name="Token">Token id.</param>
/// <param name="Start">Where it begins: characters of the whole text before it.</param>
/// <param name="LogProbabilities">How likely the target held it.</param>
public sealed record TextToken(int Token, int Start, LogProbabilities LogProbabilities);

/// <summary>The end of a text.</summary>
/// <param name="Reason">Why; a stop string ends a text as an end token does.</param>
/// <param name="OutputTokens">Output tokens up to the end, the end token or the stop string's last token included. Does
/// not depend on who drafted.</param>
public sealed record TextEnd(FinishReason Reason, int OutputTokens);
