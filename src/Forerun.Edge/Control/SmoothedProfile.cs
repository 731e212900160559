using System.Collections.Immutable;

namespace Forerun.Edge.Control;

/// <summary>Means by index, which forget; an index that was seldom seen is taken to be like the others, as far as its weight tells
/// nothing else.</summary>
/// <param name="count">Indices.</param>
/// <param name="prior">The mean before anything was seen.</param>
internal sealed class SmoothedProfile(int count, double prior)
{
    private const int Memory = 64;
    private const double OverallWeight = 4;

    private readonly Smoothed _overall = new(prior, priorWeight: 2, Memory);
    private readonly Smoothed[] _at =
        [.. Enumerable.Range(0, count).Select(_ => new Smoothed(prior: 0, priorWeight: 0, Memory))];

    /// <summary>Values seen, up to the memory.</summary>
    public int Count => _overall.Count;

    /// <summary>The means, <c>[count]</c>.</summary>
    /// <param name="weightOf">What an index is expected to have of what they have in common, above 0; null = all of it.</param>
    public ImmutableArray<double> Values(Func<int, double>? weightOf = null) =>
        [.. Enumerable.Range(0, _at.Length).Select(index => Value(index, weightOf?.Invoke(index) ?? 1))];

    /// <summary>The mean at an index.</summary>
    /// <param name="index">The index.</param>
    /// <param name="weight">What it is expected to have of what they have in common, above 0.</param>
    public double Value(int index, double weight = 1)
    {
        var one = _at[index];
        return ((one.Count * one.Value) + (OverallWeight * _overall.Value * weight)) / (one.Count + OverallWeight);
    }

    /// <summary>From now on, all that was seen of an index counts as no more than so many values.</summary>
    public void Forget(int most)
    {
        _overall.Forget(most);
        Array.ForEach(_at, one => one.Forget(most));
    }

    /// <summary>Takes in a value.</summary>
    /// <param name="index">Its index.</param>
    /// <param name="value">The value.</param>
    /// <param name="weight">As in <see cref="Values"/>.</param>
    public void Add(int index, double value, double weight = 1)
    {
        _overall.Add(value / weight);
        _at[index].Add(value);
    }
}
