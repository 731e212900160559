using System.Collections.Immutable;

namespace Forerun.Training;

/// <summary>One bin of a calibration curve.</summary>
/// <param name="Count">Rounds in it.</param>
/// <param name="Confidence">Their mean confidence.</param>
/// <param name="Right">Share of them whose verdict was right.</param>
public readonly record struct CalibrationBin(int Count, double Confidence, double Right);

/// <summary>What an exit is worth on rounds that neither training nor calibration saw.</summary>
public sealed record VerdictScore
{
    /// <summary>Rounds.</summary>
    public required int Rounds { get; init; }

    /// <summary>Share of rounds with k and t right.</summary>
    public required double Right { get; init; }

    /// <summary>Share with k right.</summary>
    public required double CountRight { get; init; }

    /// <summary>Share right that the exit would reach without the draft bonus.</summary>
    public required double RightWithoutBonus { get; init; }

    /// <summary>Share of rounds where not everything was accepted, and (k, t) was right: what no other predictor of the
    /// edge knows for sure.</summary>
    public required double RightAfterRejection { get; init; }

    /// <summary>Share with t right if k were known: what is lost when k is wrong.</summary>
    public required double NextTokenRight { get; init; }

    /// <summary>Share whose next token is in the shortlist or the draft: no exit has more right.</summary>
    public required double Reachable { get; init; }

    /// <summary>Ten bins of confidence.</summary>
    public required ImmutableArray<CalibrationBin> Bins { get; init; }

    /// <summary>Expected calibration error: mean distance of confidence and share right over the bins, by their rounds.
    /// </summary>
    public double CalibrationError => Bins.Sum(bin => bin.Count * Math.Abs(bin.Confidence - bin.Right)) / Math.Max(1, Rounds);

    /// <summary>Scores choices.</summary>
    internal static VerdictScore Of(IReadOnlyCollection<ScoredChoice> scored, IReadOnlyCollection<RoundChoice> withoutBonus)
    {
        RoundChoice[] choices = [.. scored.Select(score => score.Choice)];
        return new VerdictScore
        {
            Rounds = choices.Length,
            Right = Share(choices, choice => choice.IsRight),
            CountRight = Share(choices, choice => choice.AcceptedCount == choice.Round.AcceptedCount),
            RightWithoutBonus = Share(withoutBonus, choice => choice.IsRight),
            RightAfterRejection = Share(
                choices, choice => choice.IsRight && choice.Round.AcceptedCount < choice.Round.Draft.Length),
            NextTokenRight = Share(choices, choice => choice.NextTokenOfVerdict == choice.Round.NextToken),
            Reachable = Share(choices, choice => choice.CanNameNextToken),
            Bins = [.. scored.GroupBy(score => Math.Min(9, (int)(score.Confidence * 10))).OrderBy(bin => bin.Key)
                .Select(bin => new CalibrationBin(
                    bin.Count(), bin.Average(score => score.Confidence), bin.Average(score => score.Choice.IsRight ? 1d : 0d)))],
        };
    }

    private static double Share(IReadOnlyCollection<RoundChoice> choices, Func<RoundChoice, bool> predicate) =>
        choices.Count == 0 ? 0 : (double)choices.Count(predicate) / choices.Count;
}

/// <summary>All that is known of one exit.</summary>
public sealed record ExitScore
{
    /// <summary>Number of layers run.</summary>
    public required int Layer { get; init; }

    /// <summary>Trained numbers.</summary>
    public required int Parameters { get; init; }

    /// <summary>Weights that the exit multiplies with ÷ those of a whole pass.</summary>
    public required double CostShare { get; init; }

    /// <summary>KL(target || exit) after the ridge regression, in nats.</summary>
    public required double RidgeLoss { get; init; }

    /// <summary>Top-1 agreement after the ridge regression.</summary>
    public required double RidgeAgreement { get; init; }

    /// <summary>KL(target || exit) after training.</summary>
    public required double Loss { get; init; }

    /// <summary>Top-1 agreement after training, on held-out rows of the text, over the shortlist.</summary>
    public required double Agreement { get; init; }

    /// <summary>Verdicts at temperature 0.</summary>
    public required VerdictScore Greedy { get; init; }

    /// <summary>Verdicts at temperature 0.8.</summary>
    public required VerdictScore Sampled { get; init; }

    /// <summary>Share of verdicts right over both.</summary>
    public double Right => ((Greedy.Right * Greedy.Rounds) + (Sampled.Right * Sampled.Rounds))
        / Math.Max(1, Greedy.Rounds + Sampled.Rounds);
}
