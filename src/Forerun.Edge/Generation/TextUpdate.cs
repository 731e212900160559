using Forerun.Core.Decoding;

namespace Forerun.Edge.Generation;

/// <summary>What one round added to the text.</summary>
/// <param name="Text">Text that is certain now; empty where a character or a stop string may still be growing.</param>
/// <param name="Round">The round it came from.</param>
/// <param name="End">Set on the last update only.</param>
public sealed record TextUpdate(string Text, DecodedRound Round, TextEnd? End);

/// <summary>The end of a text.</summary>
/// <param name="Reason">Why; a stop string ends a text as an end token does.</param>
/// <param name="OutputTokens">Output tokens up to the end, the end token or the stop string's last token included. Does
/// not depend on who drafted.</param>
public sealed record TextEnd(FinishReason Reason, int OutputTokens);
