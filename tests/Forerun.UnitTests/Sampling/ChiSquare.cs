namespace Forerun.UnitTests.Sampling;

/// <summary>Pearson's test of counts against a distribution.</summary>
internal static class ChiSquare
{
    /// <summary>How probable counts this far off or further are. Categories that are expected less than five times count as
    /// one; a count where the probability is 0 makes it 0.</summary>
    /// <param name="counts">Draws per category.</param>
    /// <param name="probabilities">Their probabilities, 1 in all.</param>
    public static double PValue(IReadOnlyList<int> counts, IReadOnlyList<double> probabilities)
    {
        var draws = counts.Sum();
        var (statistic, categories, rare, rareCount) = (0.0, 0, 0.0, 0);
        for (var i = 0; i < counts.Count; i++)
        {
            var expected = draws * probabilities[i];
            if (expected == 0 && counts[i] > 0)
            {
                return 0;
            }

            if (expected < 5)
            {
                (rare, rareCount) = (rare + expected, rareCount + counts[i]);
            }
            else
            {
                statistic += Math.Pow(counts[i] - expected, 2) / expected;
                categories++;
            }
        }

        if (rare >= 5)
        {
            statistic += Math.Pow(rareCount - rare, 2) / rare;
            categories++;
        }

        return UpperTail(statistic, categories - 1);
    }

    /// <summary>P(X ≥ x) of a chi-square variable: the regularised upper incomplete gamma function of degrees / 2 and x / 2, by its
    /// recurrence from one or two degrees on.</summary>
    public static double UpperTail(double x, int degrees)
    {
        if (degrees <= 0)
        {
            return 1;
        }

        var half = x / 2;
        var (a, tail, term) = degrees % 2 == 0
            ? (1.0, Math.Exp(-half), half * Math.Exp(-half))
            : (0.5, Erfc(Math.Sqrt(half)), 2 * Math.Sqrt(half / Math.PI) * Math.Exp(-half));
        for (; a < (degrees / 2.0) - 0.25; a++)
        {
            // Q(a + 1, h) = Q(a, h) + h^a e^-h / Γ(a + 1)
            tail += term;
            term *= half / (a + 1);
        }

        return Math.Min(1, tail);
    }

    private static double Erfc(double x)
    {
        // Composite Simpson's rule of 2/√π e^-t² from x on; the rest beyond x + 10 is nothing.
        const int Steps = 4000;
        var (sum, width) = (0.0, 10.0 / Steps);
        for (var i = 0; i <= Steps; i++)
        {
            var t = x + (i * width);
            sum += Math.Exp(-t * t) * (i == 0 || i == Steps ? 1 : i % 2 == 1 ? 4 : 2);
        }

        return sum * width / 3 * 2 / Math.Sqrt(Math.PI);
    }
}
