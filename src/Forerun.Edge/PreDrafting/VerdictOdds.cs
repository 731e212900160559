using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>How often the target agrees with a drafted token, or else with an alternative: learnt from verdicts, by the
/// margin of the drafter's first choice over its second. One caller at a time.</summary>
internal sealed class VerdictOdds
{
    private const double LearningRate = 0.05;

    private static readonly float[] Margins = [0.5f, 1f, 2f, 3f, 5f, 8f];

    // By margin, smallest first; the last one is for drafters that tell none.
    private readonly double[] _first = [0.35, 0.45, 0.55, 0.7, 0.85, 0.95, 0.98, 0.6];
    private readonly double[] _second = [0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.2];
    private readonly double[] _third = [0.15, 0.15, 0.12, 0.1, 0.1, 0.1, 0.1, 0.1];

    /// <summary>The chance that the target chooses this token too.</summary>
    public double First(DraftedToken token) => _first[Bucket(token)];

    /// <summary>The chance that the target chooses the second choice.</summary>
    public double Second(DraftedToken token) => (1 - First(token)) * _second[Bucket(token)];

    /// <summary>The chance that the target chooses the third choice.</summary>
    public double Third(DraftedToken token) => (1 - First(token)) * _third[Bucket(token)];

    /// <summary>The target chose <paramref name="actual"/> where this was drafted.</summary>
    public void Learn(DraftedToken token, int actual)
    {
        var bucket = Bucket(token);
        Move(ref _first[bucket], token.Token == actual);
        if (token.Token != actual)
        {
            Move(ref _second[bucket], token.Second == actual);
            Move(ref _third[bucket], token.Third == actual);
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
