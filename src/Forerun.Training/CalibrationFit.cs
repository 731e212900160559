using Forerun.Inference.Exits;

namespace Forerun.Training;

/// <summary>Fits an exit's calibration on one half of the replayed rounds. Pure; thread-safe.</summary>
internal static class CalibrationFit
{
    /// <summary>Draft bonuses that are tried.</summary>
    public static float[] Bonuses { get; } = [0f, 0.5f, 1f, 1.5f, 2f, 2.5f, 3f, 4f];

    /// <summary>The bonus that gets most verdicts right, and the curves that go with it.</summary>
    /// <param name="choices">Choices per bonus of <see cref="Bonuses"/>, of the rounds to fit on.</param>
    public static ExitCalibration Fit(RoundChoice[][] choices)
    {
        var best = Enumerable.Range(0, Bonuses.Length).MaxBy(i => choices[i].Count(choice => choice.IsRight));
        var calibration = new ExitCalibration(
            Bonuses[best], Curve(choices[best], agrees: true), Curve(choices[best], agrees: false), 0f, 1f);
        var products = choices[best].Select(choice => Product(calibration, choice));
        var map = LogisticFit.Fit(
            [.. products.Select(product => new[] { 1d, Logit(product) })],
            [.. choices[best].Select(choice => choice.IsRight)],
            [0, 1]);
        return calibration with { VerdictOffset = (float)map[0], VerdictSlope = (float)Math.Max(0.05, map[1]) };
    }

    /// <summary>Product of the rows' probabilities.</summary>
    public static double Product(ExitCalibration calibration, RoundChoice choice)
    {
        var product = 1d;
        for (var row = 0; row < choice.Tokens.Length; row++)
        {
            product *= (choice.Agrees(row) ? calibration.Agrees : calibration.Differs).Probability(choice.Leads[row]);
        }

        return product;
    }

    /// <summary>A row counts as long as all rows before it were right: only then does it decide anything.</summary>
    private static LeadCurve Curve(RoundChoice[] choices, bool agrees)
    {
        List<double[]> features = [];
        List<bool> labels = [];
        foreach (var choice in choices)
        {
            for (var row = 0; row < choice.Tokens.Length; row++)
            {
                if (choice.Agrees(row) == agrees)
                {
                    features.Add([1, choice.Leads[row], Math.Log(1 + choice.Leads[row])]);
                    labels.Add(choice.IsRightAt(row));
                }

                if (!choice.IsRightAt(row))
                {
                    break;
                }
            }
        }

        var w = LogisticFit.Fit(features, labels, [0, 0.5, 0]);
        return new LeadCurve((float)w[0], (float)w[1], (float)w[2]);
    }

    private static double Logit(double product)
    {
        var clamped = Math.Clamp(product, 1e-6, 1 - 1e-6);
        return Math.Log(clamped / (1 - clamped));
    }
}
