using System.Collections.Immutable;

namespace Forerun.Edge.Control;

/// <summary>Means by index, which forget; an index that was seldom seen is taken to be like the others.</summary>
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
    public ImmutableArray<double> Values =>
        [.. _at.Select(one => ((one.Count * one.Value) + (OverallWeight * _overall.Value)) / (one.Count + OverallWeight))];

    /// <summary>Takes in a value.</summary>
    public void Add(int index, double value)
    {
        _overall.Add(value);
        _at[index].Add(value);
    }
}
