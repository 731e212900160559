namespace Forerun.Edge.Control;

/// <summary>What a pass takes by its number of rows: what was measured, and a line through it for the others. A machine that is faster
/// or slower than before is so for all rows: that is its pace. Only passes of other rows just before show whether it is the pace that
/// changed, or what the rows take beside each other. What was measured fades with every pass, so that in the end it gives way to the line
/// through what is measured now.</summary>
/// <param name="maxRows">Most rows.</param>
/// <param name="memory">Passes until a measurement weighs about a third of what it did.</param>
/// <param name="firstMemory">As long as few were seen; null = the same.</param>
internal sealed class TimesByRows(int maxRows, int memory, int? firstMemory = null)
{
    // Until two row counts were seen, a row more is taken to cost this part of a pass with one row.
    private const double SlopePrior = 0.1;
    private const double SlopePriorWeight = 1;
    private const double LineWeight = 2;
    private const double MostSurprise = 2;
    private const double MostWeight = 32;
    private const double LatelyMemory = 8;
    private const double LeastLately = 0.05;
    private const double LeastRatio = 0.1;
    private const double LeastWeight = 4;

    // At the pace of the beginning.
    private readonly double[] _means = new double[maxRows];
    private readonly double[] _weights = new double[maxRows];
    private readonly Smoothed _pace = new(prior: 1, priorWeight: 4, memory: 16);

    // What the last passes took ÷ their means: sums of these, and how many they are.
    private readonly double[] _lately = new double[maxRows];
    private readonly double[] _latelyCounts = new double[maxRows];
    private long _passes;

    /// <summary>Something was measured.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>What a row more takes, on average; 0 until two row counts were measured.</summary>
    public double RowMs
    {
        get
        {
            if (_weights.Count(weight => weight > 0) < 2)
            {
                return 0;
            }

            var times = Estimate();
            return (times[^1] - times[0]) / (maxRows - 1);
        }
    }

    /// <summary>Takes in a pass. One that took far longer than expected was held up: it counts as twice as long, so that it
    /// cannot turn a choice over alone.</summary>
    public void Learn(int rows, double ms)
    {
        ms = IsKnown ? Math.Min(ms, MostSurprise * Expected(rows)) : ms;

        // A program that has just started is slow, and most so at what it does first.
        var fading = Math.Clamp(++_passes / 2.0, firstMemory ?? memory, memory);
        for (var i = 0; i < maxRows; i++)
        {
            _weights[i] *= 1 - (1 / fading);
            _lately[i] *= 1 - (1 / LatelyMemory);
            _latelyCounts[i] *= 1 - (1 / LatelyMemory);
        }

        LearnMean(rows - 1, ms);
        var ratio = _means[rows - 1] > 0 ? Math.Max(LeastRatio, ms / _means[rows - 1]) : 1;
        _lately[rows - 1] += ratio;
        _latelyCounts[rows - 1]++;
        if (_weights[rows - 1] > LeastWeight)
        {
            _pace.Add(ratio);
        }

        IsKnown = true;
    }

    /// <summary>Expected times of 1, 2, … rows, <c>[maxRows]</c>.</summary>
    public double[] Estimate()
    {
        var times = new double[maxRows];
        var (first, more) = Line();
        for (var i = 0; i < maxRows; i++)
        {
            times[i] = ((_weights[i] * _pace.Value * _means[i]) + (LineWeight * (first + (more * i)))) / (_weights[i] + LineWeight);
        }

        return times;
    }

    /// <summary>The line through what was measured: what one row takes, and each further one; never more than the first. Zero until
    /// something was measured.</summary>
    public (double First, double More) Line()
    {
        if (!IsKnown)
        {
            return default;
        }

        var weight = _weights.Sum();
        double Mean(Func<int, double> value) => Enumerable.Range(0, maxRows).Sum(i => _weights[i] * value(i)) / weight;
        var meanRow = Mean(i => i);
        var meanTime = Mean(i => _means[i]);
        var covariance = weight * Mean(i => (i - meanRow) * (_means[i] - meanTime));
        var variance = weight * Mean(i => (i - meanRow) * (i - meanRow));
        var slopePrior = SlopePrior * meanTime / (1 + (SlopePrior * meanRow));
        var slope = Math.Clamp(
            (covariance + (SlopePriorWeight * slopePrior)) / (variance + SlopePriorWeight),
            0,
            meanTime / (meanRow + 1));
        return (_pace.Value * (meanTime - (slope * meanRow)), _pace.Value * slope);
    }

    /// <summary>At first a plain mean; then as far as passes of other rows tell the pace.</summary>
    private void LearnMean(int index, double ms)
    {
        _weights[index] = Math.Min(_weights[index] + 1, MostWeight);
        var (pace, share) = _weights[index] > LeastWeight ? PaceOfOthers(index) : (_pace.Value, 1);
        _means[index] += share * ((ms / pace) - _means[index]) / _weights[index];
    }

    /// <summary>The pace of the last passes of other rows, and their share of the last passes.</summary>
    private (double Pace, double Share) PaceOfOthers(int index)
    {
        var (sum, count) = (0.0, 0.0);
        for (var i = 0; i < maxRows; i++)
        {
            if (i != index)
            {
                sum += _lately[i];
                count += _latelyCounts[i];
            }
        }

        return count > LeastLately ? (sum / count, count / (count + _latelyCounts[index] + 1)) : (1, 0);
    }

    /// <summary>What a pass is expected to take: rows that were hardly seen may take as long as any others.</summary>
    private double Expected(int rows) =>
        Math.Max(Estimate()[rows - 1], _weights[rows - 1] > LeastWeight ? 0 : _pace.Value * _means.Max());
}
