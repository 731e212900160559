using System.Text;

namespace Forerun.Edge.Generation;

/// <summary>Lets text through up to the first stop string, never a part of one: what could still become a stop string is
/// held back until it is certain. The outcome does not depend on how the text is cut into pieces. One text and one
/// caller at a time.</summary>
/// <remarks>The first stop string is the one that ends first; of those that end at the same place, the longest.</remarks>
internal sealed class StopFilter
{
    private readonly IReadOnlyList<string> _stopStrings;
    private readonly StringBuilder _held = new();

    /// <summary>A filter for one text.</summary>
    /// <exception cref="ArgumentException">A stop string is empty.</exception>
    public StopFilter(IReadOnlyList<string> stopStrings)
    {
        if (stopStrings.Any(string.IsNullOrEmpty))
        {
            throw new ArgumentException(
                "A stop string is empty: expected at least one character.", nameof(stopStrings));
        }

        _stopStrings = stopStrings;
    }

    /// <summary>A stop string was found; nothing more comes out.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Takes in a piece and returns what became certain; may be empty.</summary>
    public string Append(string piece)
    {
        if (_stopStrings.Count == 0)
        {
            return piece;
        }

        var certain = new StringBuilder();
        foreach (var character in IsStopped ? "" : piece)
        {
            _held.Append(character);
            var held = _held.ToString();
            if (LongestStopAtTheEnd(held) is var length and > 0)
            {
                IsStopped = true;
                _held.Clear();
                return certain.Append(held, 0, held.Length - length).ToString();
            }

            var kept = LongestStartAtTheEnd(held);
            certain.Append(held, 0, held.Length - kept);
            _held.Remove(0, held.Length - kept);
        }

        return certain.ToString();
    }

    /// <summary>Ends the text: what was held back was no stop string.</summary>
    public string Flush()
    {
        var held = _held.ToString();
        _held.Clear();
        return held;
    }

    private int LongestStopAtTheEnd(string text) => _stopStrings
        .Where(stop => text.EndsWith(stop, StringComparison.Ordinal))
        .Select(stop => stop.Length)
        .DefaultIfEmpty(0)
        .Max();

    private int LongestStartAtTheEnd(string text)
    {
        for (var start = 0; start < text.Length; start++)
        {
            if (_stopStrings.Any(stop => stop.AsSpan().StartsWith(text.AsSpan(start), StringComparison.Ordinal)))
            {
                return text.Length - start;
            }
        }

        return 0;
    }
}
