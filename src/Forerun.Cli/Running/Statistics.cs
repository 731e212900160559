using MathNet.Numerics.Distributions;

namespace Forerun.Cli.Running;

/// <summary>Order statistics of measured values.</summary>
internal static class Statistics
{
    private const double UnlikelyOnEachSide = 0.025;

    /// <summary>The middle value; the mean of the two middle ones for an even count.</summary>
    /// <exception cref="InvalidOperationException">There are no values.</exception>
    public static double Median(this IEnumerable<double> values) => values.Percentile(0.5);

    /// <summary>Between which two of the values the median of all that could have been measured lies with a chance of at least
    /// 95 %, however they are distributed: as many values lie below it as heads among fair coins. Null for fewer than six.</summary>
    public static Interval? MedianInterval(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var outside = 0;
        while (Binomial.CDF(0.5, sorted.Length, outside) <= UnlikelyOnEachSide)
        {
            outside++;
        }

        return outside == 0 ? null : new(sorted[outside - 1], sorted[^outside]);
    }

    /// <summary>The value below which a share of the values lies, interpolated between the two nearest.</summary>
    /// <param name="values">In any order.</param>
    /// <param name="share">0 … 1.</param>
    /// <exception cref="InvalidOperationException">There are no values.</exception>
    public static double Percentile(this IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
        {
            throw new InvalidOperationException("There is no percentile of no values.");
        }

        var place = share * (sorted.Length - 1);
        var (below, above) = (sorted[(int)Math.Floor(place)], sorted[(int)Math.Ceiling(place)]);
        return below + ((above - below) * (place - Math.Floor(place)));
    }
}
