using System.Buffers;
using System.Collections.Immutable;

namespace Forerun.Inference.Tokenization;

/// <summary>Finds control and user-defined tokens in text: the leftmost one, the longest of those that start there.
/// Immutable and thread-safe.</summary>
internal sealed class SpecialTokens
{
    private readonly ImmutableArray<(string Text, int Token)> _longestFirst;
    private readonly SearchValues<string> _texts;

    public SpecialTokens(IEnumerable<(string Text, int Token)> tokens)
    {
        _longestFirst = [.. tokens.Where(special => special.Text.Length > 0)
            .OrderByDescending(special => special.Text.Length)];
        _texts = SearchValues.Create([.. _longestFirst.Select(special => special.Text)], StringComparison.Ordinal);
    }

    /// <summary>The first special token of a text; null when there is none.</summary>
    public (int Start, int Length, int Token)? Find(ReadOnlySpan<char> text)
    {
        var start = text.IndexOfAny(_texts);
        if (start < 0)
        {
            return null;
        }

        foreach (var (special, token) in _longestFirst)
        {
            if (text[start..].StartsWith(special, StringComparison.Ordinal))
            {
                return (start, special.Length, token);
            }
        }

        return null;
    }
}
