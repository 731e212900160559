namespace Forerun.Inference.Exits;

/// <summary>How an exit's leads become a confidence, fitted on replayed rounds. Immutable.</summary>
/// <param name="DraftBonus">Added to the logit of a row's draft token before the choice: that it was drafted is evidence
/// too.</param>
/// <param name="Agrees">For a row that chooses its draft token.</param>
/// <param name="Differs">For a row that chooses another token, or has no draft token.</param>
/// <param name="VerdictOffset">With <paramref name="VerdictSlope"/>: confidence = σ(offset + slope · logit(product of the
/// rows' probabilities)).</param>
/// <param name="VerdictSlope">See <paramref name="VerdictOffset"/>; above 0.</param>
public readonly record struct ExitCalibration(
    float DraftBonus, LeadCurve Agrees, LeadCurve Differs, float VerdictOffset, float VerdictSlope)
{
    /// <summary>Numbers in a file.</summary>
    public const int Length = 9;

    /// <summary>Neither bonus nor correction.</summary>
    public static ExitCalibration Default { get; } = new(0f, LeadCurve.Default, LeadCurve.Default, 0f, 1f);

    /// <summary>Calibrated probability that a verdict whose rows are right with these probabilities is right.</summary>
    /// <param name="product">Product of the rows' probabilities.</param>
    public float Confidence(double product)
    {
        var clamped = Math.Clamp(product, 1e-6, 1 - 1e-6);
        return (float)LeadCurve.Sigmoid(VerdictOffset + (VerdictSlope * Math.Log(clamped / (1 - clamped))));
    }

    /// <summary>Reads <see cref="Length"/> numbers.</summary>
    public static ExitCalibration From(ReadOnlySpan<float> v) =>
        new(v[0], new LeadCurve(v[1], v[2], v[3]), new LeadCurve(v[4], v[5], v[6]), v[7], v[8]);

    /// <summary>The <see cref="Length"/> numbers.</summary>
    public float[] ToArray() =>
    [
        DraftBonus,
        Agrees.Offset, Agrees.Slope, Agrees.LogSlope,
        Differs.Offset, Differs.Slope, Differs.LogSlope,
        VerdictOffset, VerdictSlope,
    ];
}

/// <summary>Probability that a row's token is right: σ(offset + slope · lead + logSlope · log(1 + lead)).</summary>
/// <param name="Offset">At a lead of 0.</param>
/// <param name="Slope">Per unit of lead.</param>
/// <param name="LogSlope">Per unit of log(1 + lead).</param>
public readonly record struct LeadCurve(float Offset, float Slope, float LogSlope)
{
    /// <summary>A lead in log-odds, taken at its word.</summary>
    public static LeadCurve Default { get; } = new(0f, 1f, 0f);

    /// <summary>The probability at a lead of at least 0.</summary>
    public double Probability(float lead) => Sigmoid(Offset + (Slope * lead) + (LogSlope * Math.Log(1 + lead)));

    internal static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
