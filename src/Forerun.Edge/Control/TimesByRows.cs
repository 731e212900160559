namespace Forerun.Edge.Control;

/// <summary>What a pass takes by its number of rows: what was measured, and a line through it for the others.</summary>
/// <param name="maxRows">Most rows.</param>
internal sealed class TimesByRows(int maxRows)
{
    // Until two row counts were seen, a row more is taken to cost this part of a pass.
    private const double SlopePrior = 0.1;
    private const double SlopePriorWeight = 1;
    private const double LineWeight = 2;
    private const double MostSurprise = 2;

    private readonly Smoothed[] _byRows =
        [.. Enumerable.Range(0, maxRows).Select(_ => new Smoothed(prior: 0, priorWeight: 0, memory: 32))];

    /// <summary>Something was measured.</summary>
    public bool IsKnown => Array.Exists(_byRows, time => time.Count > 0);

    /// <summary>Takes in a pass. One that took far longer than expected was held up: it counts as twice as long, so that it
    /// cannot turn a choice over alone.</summary>
    public void Learn(int rows, double ms) =>
        _byRows[rows - 1].Add(IsKnown ? Math.Min(ms, MostSurprise * Estimate()[rows - 1]) : ms);

    /// <summary>Expected times of 1, 2, … rows, <c>[maxRows]</c>.</summary>
    public double[] Estimate()
    {
        var weight = _byRows.Sum(time => (double)time.Count);
        var times = new double[maxRows];
        if (weight == 0)
        {
            return times;
        }

        double Mean(Func<int, double> value) => Enumerable.Range(0, maxRows).Sum(i => _byRows[i].Count * value(i)) / weight;
        var meanRow = Mean(i => i);
        var meanTime = Mean(i => _byRows[i].Value);
        var covariance = weight * Mean(i => (i - meanRow) * (_byRows[i].Value - meanTime));
        var variance = weight * Mean(i => (i - meanRow) * (i - meanRow));

        // A row more never costs more than the first one.
        var slope = Math.Clamp(
            (covariance + (SlopePriorWeight * SlopePrior * meanTime)) / (variance + SlopePriorWeight),
            0,
            meanTime / (meanRow + 1));
        for (var i = 0; i < maxRows; i++)
        {
            var line = Math.Max(0, meanTime + (slope * (i - meanRow)));
            var (seen, time) = (_byRows[i].Count, _byRows[i].Value);
            times[i] = ((seen * time) + (LineWeight * line)) / (seen + LineWeight);
        }

        return times;
    }
}
