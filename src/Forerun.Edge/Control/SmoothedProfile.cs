using System.Collections.Immutable;

namespace Forerun.Edge.Control;

/// <summary>Means by index, which forget; an index that was seldom seen is taken to be like the others: all means are in proportion to
/// their weights.</summary>
/// <param name="count">Indices.</param>
/// <param name="prior">The mean ÷ its weight before anything was seen.</param>
/// <param name="weightOfPrior">The weight of the values that the prior stands for.</param>
/// <param name="memory">How many values count, about.</param>
internal sealed class SmoothedProfile(int count, double prior, double weightOfPrior = 1, int memory = 64)
{
    private const double OverallWeight = 4;

    // The ratio of these two is what all indices have in common.
    private readonly Smoothed _overall = new(prior * weightOfPrior, priorWeight: 8, memory);
    private readonly Smoothed _weights = new(weightOfPrior, priorWeight: 8, memory);
    private readonly Smoothed[] _at =
        [.. Enumerable.Range(0, count).Select(_ => new Smoothed(prior: 0, priorWeight: 0, memory))];

    /// <summary>Values seen, up to the memory.</summary>
    public int Count => _overall.Count;

    /// <summary>The means, <c>[count]</c>.</summary>
    /// <param name="weightOf">The weight of an index, above 0; null = 1.</param>
    public ImmutableArray<double> Values(Func<int, double>? weightOf = null) =>
        [.. Enumerable.Range(0, _at.Length).Select(index => Value(index, weightOf?.Invoke(index) ?? 1))];

    /// <summary>The mean at an index.</summary>
    /// <param name="index">The index.</param>
    /// <param name="weight">Its weight, above 0.</param>
    public double Value(int index, double weight = 1)
    {
        var one = _at[index];
        return ((one.Count * one.Value) + (OverallWeight * _overall.Value / _weights.Value * weight)) / (one.Count + OverallWeight);
    }

    /// <summary>From now on it is what another one of as many indices is, which counts at each index as no more than so many values.</summary>
    public void Become(SmoothedProfile other, int most)
    {
        _overall.Become(other._overall, most);
        _weights.Become(other._weights, most);
        for (var i = 0; i < _at.Length; i++)
        {
            _at[i].Become(other._at[i], most);
        }
    }

    /// <summary>Takes in a value.</summary>
    /// <param name="index">Its index.</param>
    /// <param name="value">The value.</param>
    /// <param name="weight">As in <see cref="Values"/>.</param>
    public void Add(int index, double value, double weight = 1)
    {
        _overall.Add(value);
        _weights.Add(weight);
        _at[index].Add(value);
    }
}
