namespace Forerun.Cli.Running;

/// <summary>Order statistics of measured values.</summary>
internal static class Statistics
{
    /// <summary>The middle value; the mean of the two middle ones for an even count.</summary>
    /// <exception cref="InvalidOperationException">There are no values.</exception>
    public static double Median(this IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        if (sorted.Length == 0)
        {
            throw new InvalidOperationException("There is no median of no values.");
        }

        return (sorted[sorted.Length / 2] + sorted[(sorted.Length - 1) / 2]) / 2;
    }
}
