using System.Collections.Immutable;

namespace Forerun.Core.Decoding;

/// <summary>How a round is decoded.</summary>
/// <param name="Mode">Who drafts, and what overlaps.</param>
/// <param name="DraftLength">Draft length γ; 0 = an empty draft, and in <see cref="DecodingMode.Autoregressive"/>.</param>
public readonly record struct DecodingChoice(DecodingMode Mode, int DraftLength)
{
    /// <summary>The target goes on by itself.</summary>
    public static DecodingChoice Streaming { get; } = new(DecodingMode.Autoregressive, 0);
}

/// <summary>What the latency model needs to know. Times in milliseconds, chances 0 … 1. Immutable.</summary>
public sealed record LatencyEstimates
{
    /// <summary>Drafting one token.</summary>
    public required double DraftMs { get; init; }

    /// <summary>Verification on the server while the edge drafts, queue included; index m is that of m + 1 rows, <c>[longest draft + 1]</c>.
    /// </summary>
    public required ImmutableArray<double> VerifyMs { get; init; }

    /// <summary>The part of <see cref="VerifyMs"/> that it takes while the edge drafts nothing, where both share a machine; else 1
    /// (default).</summary>
    public double AloneShare { get; init; } = 1;

    /// <summary>From sending a draft to its verdict, without the server's time.</summary>
    public required double RoundTripMs { get; init; }

    /// <summary>Chance that a draft has a token at index i and it is accepted, when all before it are, <c>[longest draft]</c>.
    /// </summary>
    public required ImmutableArray<double> Acceptance { get; init; }

    /// <summary>Mean tokens of a draft by draft length γ, <c>[longest draft + 1]</c>: drafts may end earlier; default = γ.</summary>
    public ImmutableArray<double> MeanDraftLength { get; init; }

    /// <summary>Chance that the drafter foresees the target's token at index i when it foresaw all before it, <c>[longest draft]</c>;
    /// default = <see cref="Acceptance"/>.</summary>
    public ImmutableArray<double> Foresight
    {
        get => field.IsDefault ? Acceptance : field;
        init;
    }

    /// <summary>Chance that the right next draft is ready at the edge when the verdict comes, by draft length γ,
    /// <c>[longest draft + 1]</c>.</summary>
    public required ImmutableArray<double> HitRate { get; init; }

    /// <summary>Chance that it is at the server then; at most <see cref="HitRate"/>.</summary>
    public required ImmutableArray<double> SentHitRate { get; init; }

    /// <summary>Tokens that the target says by itself, behind each that the drafter did not foresee, before an offer is there; 0 = the
    /// offer is there at once (default); at most the longest draft.</summary>
    public int OfferLag { get; init; }

    /// <summary>What offers bring ÷ what that and the acceptance promise; 0 = nothing is offered (default).</summary>
    public double OfferYield { get; init; }
}

/// <summary>Expected times of the decoding modes, in closed form. Pure; thread-safe.</summary>
public static class LatencyModel
{
    private const double MostAcceptance = 0.99;

    /// <summary>Expected output tokens of a round: 1 + Σ of the chances that the first i tokens are all accepted.</summary>
    /// <param name="acceptance">The chance of each draft token when those before it are accepted, <c>[draft length]</c>.</param>
    public static double TokensPerRound(ReadOnlySpan<double> acceptance)
    {
        var (tokens, chance) = (1.0, 1.0);
        foreach (var one in acceptance)
        {
            chance *= one;
            tokens += chance;
        }

        return tokens;
    }

    /// <summary>The same of a draft length.</summary>
    /// <param name="estimates">What is known.</param>
    /// <param name="draftLength">0 … longest draft.</param>
    public static double TokensPerRound(LatencyEstimates estimates, int draftLength) =>
        TokensPerRound(estimates.Acceptance.AsSpan(0, draftLength));

    /// <summary>Expected output tokens of a round; in streamed modes only an offer brings more than one.</summary>
    /// <param name="estimates">What is known.</param>
    /// <param name="choice">Mode and draft length.</param>
    public static double TokensPerRound(LatencyEstimates estimates, DecodingChoice choice) => choice.Mode switch
    {
        DecodingMode.Autoregressive => 1,
        DecodingMode.Asynchronous => 1 + Math.Min(choice.DraftLength, estimates.OfferYield * Offered(estimates, choice.DraftLength).Accepted),
        _ => TokensPerRound(estimates, choice.DraftLength),
    };

    /// <summary>Expected time of a round. In streamed modes the round trip is not part of it.</summary>
    /// <param name="estimates">What is known.</param>
    /// <param name="choice">Any mode that the edge can choose by itself.</param>
    /// <exception cref="ArgumentOutOfRangeException">The mode has no such model: the server drafts, or it is auto.</exception>
    public static double RoundMs(LatencyEstimates estimates, DecodingChoice choice)
    {
        var draft = DraftedTokens(estimates, choice.DraftLength) * estimates.DraftMs;
        var notReady = (1 - estimates.HitRate[choice.DraftLength]) * draft;
        var roundTrip = estimates.RoundTripMs;
        var verify = VerifyMs(estimates, MeanDraftLength(estimates, choice.DraftLength));
        var (plain, offered) = (estimates.VerifyMs[0], estimates.VerifyMs[choice.DraftLength]);
        return choice.Mode switch
        {
            DecodingMode.Autoregressive => estimates.AloneShare * plain,
            DecodingMode.Asynchronous => plain
                + (Math.Min(1, estimates.OfferYield * Offered(estimates, choice.DraftLength).Share) * (offered - plain)),
            DecodingMode.Speculative => draft + roundTrip + (estimates.AloneShare * verify),
            DecodingMode.Preemptive => notReady + roundTrip + verify,
            DecodingMode.Pipelined => notReady + ((1 - estimates.SentHitRate[choice.DraftLength]) * roundTrip) + verify,
            _ => throw new ArgumentOutOfRangeException(
                nameof(choice), choice.Mode, "This mode has no latency model on the edge."),
        };
    }

    /// <summary>What offers promise. A stretch of text begins behind a token that the drafter did not foresee and ends with the next one.
    /// The target says its first tokens, as many as the lag, by itself; behind them every round verifies an offer.</summary>
    /// <param name="estimates">What is known.</param>
    /// <param name="draftLength">Most tokens that are verified at once.</param>
    /// <returns>The part of the rounds that have an offer, and the accepted tokens of a round.</returns>
    public static (double Share, double Accepted) Offered(LatencyEstimates estimates, int draftLength)
    {
        // reach: the chance that the drafter foresees so many tokens. Behind the last known position it goes on by the same factor.
        var foresight = estimates.Foresight;
        var factor = Math.Min(foresight[^1], MostAcceptance);
        var (reach, tokens, plain, offered) = (1.0, 0.0, 0.0, 0.0);
        var next = estimates.OfferLag;
        for (var i = 0; i < foresight.Length; i++)
        {
            tokens += reach;
            plain += i < estimates.OfferLag ? reach : 0;
            if (i == next)
            {
                offered += reach;
                next += draftLength + 1;
            }

            reach *= foresight[i];
        }

        tokens += reach / (1 - factor);
        offered += reach * Math.Pow(factor, next - foresight.Length) / (1 - Math.Pow(factor, draftLength + 1));
        return (offered / (plain + offered), (tokens / (plain + offered)) - 1);
    }

    /// <summary>Tokens drafted for a round's draft: where it ends early, the token behind it was drafted to see that.</summary>
    /// <param name="estimates">What is known.</param>
    /// <param name="draftLength">0 … longest draft.</param>
    public static double DraftedTokens(LatencyEstimates estimates, int draftLength) =>
        draftLength == 0 ? 0 : 1 + MeanDraftLength(estimates, draftLength - 1);

    private static double MeanDraftLength(LatencyEstimates estimates, int draftLength) =>
        estimates.MeanDraftLength.IsDefault ? draftLength : estimates.MeanDraftLength[draftLength];

    private static double VerifyMs(LatencyEstimates estimates, double draftLength)
    {
        var (whole, next) = ((int)draftLength, (int)Math.Ceiling(draftLength));
        return double.Lerp(estimates.VerifyMs[whole], estimates.VerifyMs[next], draftLength - whole);
    }

    /// <summary>Expected time per output token. Exceptions as in <see cref="RoundMs"/>.</summary>
    public static double MsPerToken(LatencyEstimates estimates, DecodingChoice choice) =>
        RoundMs(estimates, choice) / TokensPerRound(estimates, choice);
}
