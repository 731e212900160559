namespace Forerun.Core.Sampling;

/// <content>Rejection sampling: what a drafter draws from, and what becomes of a draft token.</content>
/// <remarks>Leviathan et al. 2023 (arXiv 2211.17192) and Chen et al. 2023 (arXiv 2302.01318), with p the target's
/// distribution behind all filters and q the drafter's: a token x drawn from q stands with probability min(1, p(x) / q(x));
/// else the token is drawn from the residual, max(0, p - q) divided by its sum. Over x, the chance of a token y is
/// min(p(y), q(y)) + max(0, p(y) - q(y)) = p(y), whatever q is.
/// <para>The decision takes its uniform number, and the residual its noise, from (seed, position), each independent of the
/// other and of what drafts and bonus tokens are drawn with; so an exit that applies the rule to its own p decides as the
/// target does where its p is alike.</para></remarks>
public sealed partial class TokenSampler
{
    /// <summary>What to draft from: the distribution behind the filters, its most probable tokens, in whole weights.
    /// Allocates the result.</summary>
    /// <param name="logits">As in <see cref="Sample"/>.</param>
    /// <param name="history">As in <see cref="Sample"/>.</param>
    /// <exception cref="ArgumentException">As in <see cref="Sample"/>.</exception>
    /// <exception cref="InvalidOperationException">The temperature is 0.</exception>
    public SparseDistribution DraftProbs(ReadOnlySpan<float> logits, ReadOnlySpan<int> history)
    {
        ThrowIfNotRows(logits);
        ThrowIfGreedy();
        logits = Prepare(logits, _vocabulary.AsSpan(), 0, history, out var best);
        return Survivors(logits, best, _vocabulary.AsSpan()).Quantise();
    }

    /// <summary>The token at <paramref name="position"/> where one was drafted: that one if it is accepted, else a token of
    /// the residual, which is another one.</summary>
    /// <param name="logits">As in <see cref="Sample"/>.</param>
    /// <param name="position">As in <see cref="Sample"/>.</param>
    /// <param name="history">As in <see cref="Sample"/>.</param>
    /// <param name="draftToken">The draft token.</param>
    /// <param name="draftProbs">What it was drawn from; its weight there is positive.</param>
    /// <exception cref="ArgumentException">As in <see cref="Sample"/>.</exception>
    /// <exception cref="InvalidOperationException">The temperature is 0.</exception>
    public int Verify(
        ReadOnlySpan<float> logits, int position, ReadOnlySpan<int> history, int draftToken, SparseDistribution draftProbs)
    {
        ThrowIfNotRows(logits);
        return Decide(_vocabulary.AsSpan(), logits, position, history, draftToken, draftProbs, out _);
    }

    /// <summary>As <see cref="Verify"/>, among some of the vocabulary.</summary>
    /// <param name="tokens">As in <see cref="SampleAmong"/>.</param>
    /// <param name="logits">As in <see cref="SampleAmong"/>.</param>
    /// <param name="position">As in <see cref="Sample"/>.</param>
    /// <param name="history">As in <see cref="Sample"/>.</param>
    /// <param name="draftToken">As in <see cref="Verify"/>.</param>
    /// <param name="draftProbs">As in <see cref="Verify"/>.</param>
    /// <param name="lead">How far the decision is from another one: in log(p / q) from where the draft token would be
    /// rejected or accepted instead, and in the score of the residual's token from that of its second; at most
    /// <see cref="LargestLead"/>.</param>
    /// <exception cref="ArgumentException">As in <see cref="SampleAmong"/>.</exception>
    /// <exception cref="InvalidOperationException">The temperature is 0.</exception>
    public int VerifyAmong(
        ReadOnlySpan<int> tokens,
        ReadOnlySpan<float> logits,
        int position,
        ReadOnlySpan<int> history,
        int draftToken,
        SparseDistribution draftProbs,
        out float lead)
    {
        ThrowIfNotSome(tokens, logits);
        return Decide(tokens, logits, position, history, draftToken, draftProbs, out lead);
    }

    private int Decide(
        ReadOnlySpan<int> vocabulary,
        ReadOnlySpan<float> logits,
        int position,
        ReadOnlySpan<int> history,
        int draftToken,
        SparseDistribution draftProbs,
        out float lead)
    {
        ThrowIfGreedy();
        logits = Prepare(logits, vocabulary, position, history, out var best);
        var candidates = Survivors(logits, best, vocabulary);
        var margin = candidates.AcceptanceMargin(draftToken, draftProbs, SharedNoise.Uniform(_options.Seed, position));
        lead = (float)Math.Min(Math.Abs(margin), LargestLead);
        if (margin > 0)
        {
            return draftToken;
        }

        candidates.Subtract(draftProbs);
        Span<int> ranked = stackalloc int[2];
        Span<float> scores = stackalloc float[2];
        var count = candidates.Rank(SharedNoise.ResidualSeed(_options.Seed), position, ranked, scores);
        lead = count < 2 ? lead : MathF.Min(lead, scores[0] - scores[1]);
        return ranked[0];
    }

    private void ThrowIfGreedy()
    {
        if (_candidates is null)
        {
            throw new InvalidOperationException(
                "At temperature 0 there are no probabilities to weigh: a draft token stands when it is the target's own.");
        }
    }
}
