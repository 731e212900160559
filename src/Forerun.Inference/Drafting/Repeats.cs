namespace Forerun.Inference.Drafting;

/// <summary>What followed the last tokens of a history where they stood before: text repeats itself and its prompt. Pure; no
/// allocation. Saxena 2023, "Prompt Lookup Decoding".</summary>
public static class Repeats
{
    /// <summary>So many tokens that stood together before make what followed them a better draft than a small model's choice
    /// where the two differ: right four times as often on instructions (300 to 75; at five tokens even, below it less).</summary>
    public const int Sure = 6;

    /// <summary>Finds the longest, then most recent repetition.</summary>
    /// <param name="history">All tokens so far.</param>
    /// <param name="shortest">Least tokens that stood together before, 1 or more.</param>
    /// <param name="longest">Most tokens to look for.</param>
    /// <param name="next">Index of what followed them.</param>
    /// <returns>How many tokens stood together before; 0 = fewer than wanted.</returns>
    public static int Find(ReadOnlySpan<int> history, int shortest, int longest, out int next)
    {
        for (var length = Math.Min(longest, history.Length - 1); length >= shortest; length--)
        {
            // The last token is left out: a repetition must have a successor.
            var at = history[..^1].LastIndexOf(history[^length..]);
            if (at >= 0)
            {
                next = at + length;
                return length;
            }
        }

        next = -1;
        return 0;
    }
}
