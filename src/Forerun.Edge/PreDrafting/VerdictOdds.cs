using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>How often the target agrees with a drafted token, or else with an alternative: learnt from verdicts, by the
/// margin of the drafter's first choice over its second. So it also knows where a draft is not worth going on. One caller at a time.
/// </summary>
internal sealed class VerdictOdds
{
    private const double LearningRate = 0.05;

    private static readonly double[] AlternativePriors =
        [0.3, 0.13, 0.07, 0.05, 0.04, 0.03, 0.02, 0.02, 0.015, 0.01, 0.01];

    private static readonly float[] Margins = [0.5f, 1f, 2f, 3f, 5f, 8f];

    // By margin, smallest first, as the bundled models agree on training prompts; the last one is for tokens without a margin.
    private readonly double[] _first = [0.3, 0.4, 0.55, 0.8, 0.9, 0.97, 0.98, 0.7];

    // By rank and margin, given that the first choice is wrong.
    private readonly double[][] _alternatives =
        [.. AlternativePriors.Select(prior => Enumerable.Repeat(prior, Margins.Length + 2).ToArray())];

    /// <summary>A draft ends before a token with which the target would accept it whole with a smaller chance; 0 (default) = only at its
    /// length.</summary>
    public double LeastDraftChance { get; set; }

    /// <summary>The chance that the target chooses this token too.</summary>
    public double First(DraftedToken token) => _first[Bucket(token)];

    /// <summary>The chance that the target chooses an alternative.</summary>
    public double Alternative(DraftedToken token, int rank) => (1 - First(token)) * _alternatives[rank][Bucket(token)];

    /// <summary>Whether a draft ends before this token, so that it is not verified.</summary>
    /// <remarks>Under rejection sampling a draft that ended depending on what was drawn would bias the target's distribution.</remarks>
    /// <param name="token">The token.</param>
    /// <param name="index">Its index in the draft; the first belongs to every draft.</param>
    /// <param name="acceptance">The chance that the target accepts all tokens before it.</param>
    /// <param name="cost">What it costs, as a part of what a token costs that nothing hides.</param>
    public bool EndsBefore(DraftedToken token, int index, double acceptance, double cost = 1) =>
        token.DraftProbs is null && EndsBefore(index, acceptance * First(token), cost);

    /// <summary>Whether a draft ends before a token.</summary>
    /// <param name="index">Its index in the draft.</param>
    /// <param name="acceptance">The chance that the target accepts it and all before it.</param>
    /// <param name="cost">What it costs, as a part of what a token costs that nothing hides.</param>
    public bool EndsBefore(int index, double acceptance, double cost = 1) => index > 0 && acceptance < cost * LeastDraftChance;

    /// <summary>Tokens of a draft, as far as it is drafted.</summary>
    /// <param name="branch">What is drafted.</param>
    /// <param name="most">Most tokens of the draft.</param>
    public int DraftLength(DraftBranch branch, int most)
    {
        var (length, acceptance) = (0, 1.0);
        while (length < Math.Min(most, branch.Count) && !EndsBefore(branch[length], length, acceptance))
        {
            acceptance *= First(branch[length++]);
        }

        return length;
    }

    /// <summary>Takes in the verdict on a draft, and on the token behind it where that is drafted.</summary>
    public void Learn(DraftBranch branch, Verdict verdict)
    {
        // The last verdict may cut an accepted token short: it says nothing about the drafter.
        for (var i = 0; i <= verdict.AcceptedCount && i < branch.Count && !verdict.IsLast; i++)
        {
            Learn(branch[i], i < verdict.AcceptedCount ? branch[i].Token : verdict.NextToken);
        }
    }

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
