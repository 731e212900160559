namespace Forerun.Core.Decoding;

/// <summary>How a verification ends.</summary>
/// <param name="AcceptedCount">Accepted count k, 0 … draft length.</param>
/// <param name="NextToken">Next token t: recovered or bonus.</param>
/// <param name="FinishReason">Why the generation is over; null when it goes on.</param>
public readonly record struct AcceptanceResult(int AcceptedCount, int NextToken, FinishReason? FinishReason);

/// <summary>Acceptance: a draft token stands when it equals the token of its row. Under greedy and shared-noise sampling that is
/// the target's own, so the output is the target's own text whatever the draft; under rejection sampling it is the draft
/// token itself where the rule accepts it (<see cref="Sampling.TokenSampler.Verify"/>). Pure; thread-safe; allocates nothing.
/// </summary>
public static class Acceptance
{
    /// <summary>Accepts draft tokens from left to right.</summary>
    /// <remarks>An end token is never accepted but becomes the next token, also where it was drafted, and so does the
    /// last token that the limits allow: a round yields accepted + 1 output tokens, never more than remain.</remarks>
    /// <typeparam name="TState">What <paramref name="targetToken"/> needs.</typeparam>
    /// <param name="draft">Draft tokens, <c>[draftLength]</c>.</param>
    /// <param name="basePosition">Absolute position of the first draft token; at least one token remains there.</param>
    /// <param name="limits">End tokens and limits of the generation.</param>
    /// <param name="state">Passed on to <paramref name="targetToken"/>.</param>
    /// <param name="targetToken">The token of a row: row i follows the context and
    /// <c>draft[0..i]</c>, and row draftLength is the bonus token's. Called for rows 0, 1, … in order, and for none after the first that is not accepted.</param>
    /// <exception cref="ArgumentOutOfRangeException">No token remains at the base position.</exception>
    public static AcceptanceResult Accept<TState>(
        ReadOnlySpan<int> draft,
        int basePosition,
        GenerationLimits limits,
        TState state,
        Func<TState, int, int> targetToken)
        where TState : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(limits);
        ArgumentNullException.ThrowIfNull(targetToken);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(basePosition, limits.EndPosition);
        for (var row = 0; ; row++)
        {
            var token = targetToken(state, row);
            var finishReason = limits.FinishReasonOf(token, basePosition + row);
            if (finishReason is not null || row == draft.Length || draft[row] != token)
            {
                return new AcceptanceResult(row, token, finishReason);
            }
        }
    }
}
