using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.PreDrafting;

namespace Forerun.Edge.Control;

/// <summary>Learns from rounds the chances that the latency model needs. One caller at a time.</summary>
/// <param name="times">The times that it needs; learn from a round before this does.</param>
/// <param name="maxDraftLength">Longest draft.</param>
internal sealed class OnlineEstimates(MeasuredTimes times, int maxDraftLength)
{
    private const int LeastComparisons = 8;
    private const int PriorRoundsOffered = 16;
    private const int RoundsOffered = 512;
    private const double PriorOffered = 0.75;
    private const double AlternativesAdd = 0.5;
    private const double LeastLoad = 0.25;
    private const double PriorMisses = 0.75;
    private const double PriorLoad = 0.5;

    // In proportion to the load: the longer a draft takes, the fewer verdicts there is time to draft for, and the more it may have; and to
    // a constant, for what the drafter does not foresee however much time it has.
    private readonly SmoothedProfile _misses = new(maxDraftLength + 1, PriorMisses, PriorLoad);
    private readonly SmoothedProfile _sentMisses = new(maxDraftLength + 1, PriorMisses, PriorLoad);
    private readonly TextProfile _acceptance = new(maxDraftLength, prior: 0.6);
    private readonly TextProfile _foresight = new(maxDraftLength, prior: 0.6);

    // Index i: of drafts of at least i tokens, those that have more.
    private readonly TextProfile _goesOn = new(maxDraftLength, prior: 1);

    // Of rounds that offered: accepted tokens, and what the drafter's own line and its alternatives promised. Over several texts: within one,
    // what it promises is still being learnt.
    private readonly Smoothed _accepted = new(PriorOffered, PriorRoundsOffered, RoundsOffered);
    private readonly Smoothed _promised = new(PriorOffered, PriorRoundsOffered, RoundsOffered);
    private int _offeringRounds;

    /// <summary>Every time was measured, and the drafter was compared often enough.</summary>
    public bool IsKnown => times.IsKnown && _foresight.Count >= LeastComparisons;

    /// <summary>What is known now.</summary>
    public LatencyEstimates Current
    {
        get
        {
            var (verify, roundTrip, lengths) = (times.VerifyMs(), times.RoundTripMs, MeanDraftLengths());
            var hits = HitRates(_misses, lengths, verify, roundTrip);
            var lag = OfferDrafter.Lag(verify[0], roundTrip, times.DraftMs);
            var sentHits = HitRates(_sentMisses, lengths, verify, roundTrip: 0);
            return new()
            {
                DraftMs = times.DraftMs,
                VerifyMs = [.. verify],
                AloneShare = times.AloneShare,
                RoundTripMs = roundTrip,
                Acceptance = _acceptance.Values(),
                MeanDraftLength = lengths,
                Foresight = _foresight.Values(),
                HitRate = hits,
                SentHitRate = [.. hits.Zip(sentHits, Math.Min)],
                OfferLag = lag,
                OfferYield = lag < maxDraftLength ? Alternatives(lag) * _accepted.Value / _promised.Value : 0,
            };
        }
    }

    /// <inheritdoc cref="TextProfile.BeginText"/>
    public void BeginText()
    {
        _acceptance.BeginText();
        _foresight.BeginText();
        _goesOn.BeginText();
        _offeringRounds = 0;
    }

    /// <summary>Takes in the next round of a generation.</summary>
    /// <param name="round">The round.</param>
    /// <param name="known">What was known before.</param>
    public void Learn(DecodedRound round, LatencyEstimates known)
    {
        // The last verdict may cut an accepted token short, and hits nothing.
        if (round.Choice.Mode.IsStreamed())
        {
            LearnRehearsed(round);
            LearnOffer(round, known);
        }
        else if (round.End is null)
        {
            LearnDraft(round.DraftLength, round.AcceptedCount, round.EndsEarly);
            _foresight.Add(round.AcceptedCount, isOver: round.AcceptedCount < round.DraftLength);
            LearnHits(round);
        }
    }

    /// <summary>What drafting would have been.</summary>
    private void LearnRehearsed(DecodedRound round)
    {
        if (round.Rehearsed is { } rehearsed)
        {
            var (agreed, length) = (rehearsed.AgreedCount, rehearsed.DraftLength);
            _foresight.Add(agreed, isOver: agreed < rehearsed.DraftedCount || rehearsed.IsEnded);
            LearnDraft(length, Math.Min(agreed, length), length < rehearsed.DraftedCount || rehearsed.IsEnded);
        }
    }

    /// <summary>What offers bring, beside what they promise. Before the first one can be there, that none is says nothing.</summary>
    private void LearnOffer(DecodedRound round, LatencyEstimates known)
    {
        if (round.Choice.Mode != DecodingMode.Asynchronous || round.End is not null)
        {
            _offeringRounds = 0;
            return;
        }

        if (_offeringRounds++ >= known.OfferLag)
        {
            _accepted.Add(round.AcceptedCount);
            _promised.Add(Alternatives(known.OfferLag) * LatencyModel.Offered(known, round.Choice.DraftLength).Accepted);
        }
    }

    /// <summary>What alternatives make of the promise of the drafter's own line: the further ahead an offer must be right, the less.
    /// </summary>
    private static double Alternatives(int lag) => 1 + (AlternativesAdd / lag);

    /// <summary>A draft that ends early is as good as one that is rejected there.</summary>
    private void LearnDraft(int length, int acceptedCount, bool endsEarly)
    {
        _acceptance.Add(acceptedCount, isOver: acceptedCount < length || endsEarly);
        _goesOn.Add(length, isOver: endsEarly);
    }

    /// <summary>A draft has the tokens that a round would bring if each were accepted with the chance that it is drafted, but the one
    /// behind them.</summary>
    private ImmutableArray<double> MeanDraftLengths()
    {
        var goesOn = _goesOn.Values();
        return [.. Enumerable.Range(0, maxDraftLength + 1).Select(length => LatencyModel.TokensPerRound(goesOn.AsSpan(0, length)) - 1)];
    }

    private void LearnHits(DecodedRound round)
    {
        if (round.PreDrafts.Rounds == 0)
        {
            return;
        }

        var (length, verify) = (round.Choice.DraftLength, times.VerifyMs());
        var tokens = MeanDraftLengths()[length];
        _misses.Add(length, 1 - round.PreDrafts.FinishedHits, Load(tokens, verify, times.RoundTripMs));
        if (round.Choice.Mode == DecodingMode.Pipelined)
        {
            _sentMisses.Add(length, 1 - round.PreDrafts.SentHits, Load(tokens, verify, 0));
        }
    }

    private ImmutableArray<double> HitRates(
        SmoothedProfile misses, ImmutableArray<double> lengths, double[] verify, double roundTrip) =>
        [.. misses.Values(length => Load(lengths[length], verify, roundTrip)).Select(miss => Math.Max(0, 1 - miss))];

    /// <summary>What drafting so many tokens takes, as a part of the time in which it is hidden, and the least there is.</summary>
    private double Load(double tokens, double[] verify, double roundTrip)
    {
        var hidden = verify[(int)Math.Round(tokens)] + roundTrip;
        return hidden > 0 ? LeastLoad + (times.DraftMs * tokens / hidden) : 1;
    }
}
