using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <content>The candidates as a distribution: p(x) = weight of x / sum of all weights.</content>
internal sealed partial class Candidates
{
    private long _total;

    /// <summary>The most probable candidates as a sparse distribution.</summary>
    public SparseDistribution Quantise()
    {
        KeepTopK(SparseDistribution.MaxTokens);
        Weigh();
        return SparseDistribution.Quantise(_tokens.AsSpan(0, _count), _weights.AsSpan(0, _count));
    }

    /// <summary>log(p(x) / q(x)) - log(u): above 0, the draft token x is accepted.</summary>
    /// <param name="draftToken">The draft token x; its weight in q is positive.</param>
    /// <param name="draftProbs">The distribution q that it was drawn from.</param>
    /// <param name="uniform">The uniform number u in (0, 1).</param>
    public double AcceptanceMargin(int draftToken, SparseDistribution draftProbs, double uniform)
    {
        _total = Weigh();
        var index = IndexOf(draftToken);
        var target = index < 0 ? 0.0 : (double)_weights[index] * SparseDistribution.Total;
        return DeterministicMath.Log(target / (draftProbs.WeightOf(draftToken) * (double)_total * uniform));
    }

    /// <summary>Turns p into the residual max(0, p - q), up to its sum: a token with p > q moves -log(1 - q / p)
    /// further away, the others drop out. <see cref="AcceptanceMargin"/> has weighed.</summary>
    /// <remarks>In whole numbers: a weight is at most 2^30, so products stay below 2^63 up to two million tokens.</remarks>
    public void Subtract(SparseDistribution draftProbs)
    {
        for (var i = 0; i < draftProbs.Tokens.Length; i++)
        {
            var index = IndexOf(draftProbs.Tokens[i]);
            if (index >= 0)
            {
                var target = (long)_weights[index] * SparseDistribution.Total;
                var left = target - (draftProbs.Weights[i] * _total);
                _distances[index] = left > 0
                    ? _distances[index] - (float)DeterministicMath.Log((double)left / target)
                    : float.PositiveInfinity;
            }
        }
    }

    private int IndexOf(int token) => _tokens.AsSpan(0, _count).BinarySearch(token);
}
