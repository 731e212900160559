using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>How often the target agrees with a drafted token, or else with an alternative: learnt from verdicts, by the
/// margin of the drafter's first choice over its second. One caller at a time.</summary>
internal sealed class VerdictOdds
{
    private const double LearningRate = 0.05;

    private static readonly double[] AlternativePriors =
        [0.3, 0.13, 0.07, 0.05, 0.04, 0.03, 0.02, 0.02, 0.015, 0.01, 0.01];

    private static readonly float[] Margins = [0.5f, 1f, 2f, 3f, 5f, 8f];

    // By margin, smallest first; the last one is for drafters that tell none.
    private readonly double[] _first = [0.35, 0.45, 0.55, 0.7, 0.85, 0.95, 0.98, 0.6];

    // By rank and margin, given that the first choice is wrong.
    private readonly double[][] _alternatives =
        [.. AlternativePriors.Select(prior => Enumerable.Repeat(prior, Margins.Length + 2).ToArray())];

    /// <summary>The chance that the target chooses this token too.</summary>
    public double First(DraftedToken token) => _first[Bucket(token)];

    /// <summary>The chance that the target chooses an alternative.</summary>
    public double Alternative(DraftedToken token, int rank) => (1 - First(token)) * _alternatives[rank][Bucket(token)];

    /// <summary>The target chose <paramref name="actual"/> where this was drafted.</summary>
    public void Learn(DraftedToken token, int actual)
    {
        var bucket = Bucket(token);
        Move(ref _first[bucket], token.Token == actual);
        for (var rank = 0; rank < token.Alternatives.Count && token.Token != actual; rank++)
        {
            Move(ref _alternatives[rank][bucket], token.Alternatives[rank] == actual);
        }
    }

    private static int Bucket(DraftedToken token)
    {
        if (float.IsNaN(token.Margin))
        {
            return Margins.Length + 1;
        }

        var bucket = 0;
        while (bucket < Margins.Length && token.Margin >= Margins[bucket])
        {
            bucket++;
        }

        return bucket;
    }

    private static void Move(ref double chance, bool happened) => chance += LearningRate * ((happened ? 1 : 0) - chance);
}
