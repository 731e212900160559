using Forerun.Core.Numerics;
using Forerun.Core.Sampling;

namespace Forerun.Inference.Drafting;

/// <summary>A drafted token, and what the drafter would have chosen instead.</summary>
/// <param name="Token">Its first choice.</param>
/// <param name="Alternatives">Its next choices; default = unknown.</param>
/// <param name="Margin">How far the second choice's score lies below the first's: logits at temperature 0, else logits /
/// temperature plus noise; under rejection sampling, how far the log-probability of the most probable other token lies below
/// this one's. NaN = unknown.</param>
/// <param name="DraftProbs">Under rejection sampling: what it was drawn from; null (default) = nothing was left to chance.
/// </param>
public readonly record struct DraftedToken(
    int Token, TokenAlternatives Alternatives = default, float Margin = float.NaN, SparseDistribution? DraftProbs = null)
{
    /// <summary>Draws a token to draft. Its alternatives are what the noise of the residual would make of the other tokens: one
    /// of them comes if the target rejects this one.</summary>
    /// <param name="draftProbs">What to draw from.</param>
    /// <param name="seed">The generation's seed.</param>
    /// <param name="position">Absolute position of the token.</param>
    public static DraftedToken Draw(SparseDistribution draftProbs, ulong seed, int position)
    {
        var token = draftProbs.Draw(seed, position);
        Span<int> others = stackalloc int[TokenAlternatives.Capacity + 1];
        others = others[..draftProbs.Draw(SharedNoise.ResidualSeed(seed), position, others)];
        var own = others.IndexOf(token);
        if (own >= 0)
        {
            others[(own + 1)..].CopyTo(others[own..]);
            others = others[..^1];
        }

        return new DraftedToken(token, new TokenAlternatives(others), MarginOf(token, draftProbs), draftProbs);
    }

    private static float MarginOf(int token, SparseDistribution draftProbs)
    {
        var other = 0;
        for (var i = 0; i < draftProbs.Tokens.Length; i++)
        {
            other = draftProbs.Tokens[i] == token ? other : Math.Max(other, draftProbs.Weights[i]);
        }

        return other == 0
            ? TokenSampler.LargestLead
            : DeterministicMath.Log((float)draftProbs.WeightOf(token)) - DeterministicMath.Log((float)other);
    }
}
