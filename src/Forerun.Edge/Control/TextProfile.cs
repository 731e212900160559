using System.Collections.Immutable;

namespace Forerun.Edge.Control;

/// <summary>Chances by index that depend on the text, as drafters are good at some texts and poor at others: what is seen of a text counts for it, and
/// the next one begins with what was seen of the last ones.</summary>
/// <param name="count">Indices.</param>
/// <param name="prior">The chance before anything was seen.</param>
internal sealed class TextProfile(int count, double prior)
{
    private const int ValuesOfOtherTexts = 16;

    private readonly SmoothedProfile _text = new(count, prior);
    private readonly SmoothedProfile _texts = new(count, prior, memory: 128);

    /// <inheritdoc cref="SmoothedProfile.Count"/>
    public int Count => _text.Count;

    /// <summary>The chances, <c>[count]</c>.</summary>
    public ImmutableArray<double> Values() => _text.Values();

    /// <summary>Another text begins. One that was poor is no reason to expect as little of the next: where drafting had ended for it, nothing
    /// would show the difference.</summary>
    public void BeginText() => _text.Become(_texts, ValuesOfOtherTexts);

    /// <summary>Something went well so many times in a row, and then it may have ended.</summary>
    public void Add(int times, bool isOver)
    {
        for (var i = 0; i < Math.Min(times, count); i++)
        {
            Add(i, 1);
        }

        if (isOver && times < count)
        {
            Add(times, 0);
        }
    }

    private void Add(int index, double value)
    {
        _text.Add(index, value);
        _texts.Add(index, value);
    }
}
