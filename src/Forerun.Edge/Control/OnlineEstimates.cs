using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.PreDrafting;

namespace Forerun.Edge.Control;

/// <summary>Learns from rounds what the latency model needs. One caller at a time.</summary>
/// <param name="maxDraftLength">Longest draft.</param>
internal sealed class OnlineEstimates(int maxDraftLength)
{
    private const int LeastComparisons = 8;
    private const double AnswerWeight = 4;
    private const int ValuesOfOtherTexts = 16;
    private const double PriorPromise = 0.5;
    private const double PriorYield = 1.5;
    private const double LeastReach = 0.1;

    // While it streams, values are few: what drafting took in a cold program must give way to what it takes now.
    private readonly Smoothed _draft = new(prior: 0, priorWeight: 0, memory: 8);
    private readonly Smoothed _roundTrip = new(prior: 0, priorWeight: 0, memory: 16);
    private readonly SmoothedProfile _hits = new(maxDraftLength + 1, prior: 0.5);
    private readonly SmoothedProfile _sentHits = new(maxDraftLength + 1, prior: 0.5);
    private readonly SmoothedProfile _acceptance = new(maxDraftLength, prior: 0.6);
    private readonly Smoothed _accepted = new(PriorYield * PriorPromise, priorWeight: 8, memory: 128);
    private readonly Smoothed _promised = new(PriorPromise, priorWeight: 8, memory: 128);
    private readonly VerificationTimes _verify = new(maxDraftLength + 1);
    private double? _answer;
    private DecodedRound? _previous;
    private int _offeringRounds;

    /// <summary>Every time was measured, and the drafter was compared often enough.</summary>
    public bool IsKnown => _verify.IsKnown && (_answer is not null || _roundTrip.Count > 0) && _acceptance.Count >= LeastComparisons;

    /// <summary>What is known now.</summary>
    public LatencyEstimates Current
    {
        get
        {
            var (verify, roundTrip, acceptance) = (_verify.Estimate(), RoundTripMs(), _acceptance.Values());
            var hits = _hits.Values(length => Reach(length, verify, roundTrip)).Select(hit => Math.Min(1, hit)).ToImmutableArray();
            var lag = OfferDrafter.Lag(verify[0], roundTrip, _draft.Value);
            var sentHits = _sentHits.Values(length => Reach(length, verify, 0));
            return new()
            {
                DraftMs = _draft.Value,
                VerifyMs = [.. verify],
                AloneShare = _verify.AloneShare,
                RoundTripMs = roundTrip,
                Acceptance = acceptance,
                HitRate = hits,
                SentHitRate = [.. hits.Zip(sentHits, Math.Min)],
                OfferLag = lag,
                OfferYield = lag < maxDraftLength ? _accepted.Value / _promised.Value : 0,
            };
        }
    }

    /// <summary>Another text begins: what was accepted in others counts less, as drafters are good at some and poor at others.</summary>
    public void BeginText()
    {
        _acceptance.Forget(ValuesOfOtherTexts);
        _accepted.Forget(ValuesOfOtherTexts);
        _promised.Forget(ValuesOfOtherTexts);
        _offeringRounds = 0;
    }

    /// <summary>Takes in the next round of a generation.</summary>
    /// <param name="round">The round.</param>
    /// <param name="known">What was known before.</param>
    public void Learn(DecodedRound round, LatencyEstimates known)
    {
        var isStreamed = round.Choice.Mode.IsStreamed();
        var server = round.ServerTimings.Total;

        // The first round has the prompt in it, on both sides.
        if (round.Round > 1)
        {
            _verify.Learn(round, RoundTripMs());
        }

        if (isStreamed && round.RoundTripTime is { } answer)
        {
            _answer = answer.TotalMilliseconds;
        }
        else if (isStreamed ? round.Round == 1 : round.Round > 1 && !round.IsSentAhead)
        {
            _roundTrip.Add(Math.Max(0, (round.WaitTime - server).TotalMilliseconds));
        }

        // The last verdict may cut an accepted token short, and hits nothing.
        if (isStreamed)
        {
            LearnRehearsed(round);
            LearnOffer(round, known);
        }
        else if (round.End is null)
        {
            LearnDrafting(round);
            LearnAcceptance(round);
            LearnHits(round);
        }

        _previous = round;
    }

    /// <summary>What rounds waited beside the server's time, and what an answer took as long as few such rounds are known.</summary>
    private double RoundTripMs() => _answer is { } answer
        ? ((_roundTrip.Count * _roundTrip.Value) + (AnswerWeight * answer)) / (_roundTrip.Count + AnswerWeight)
        : _roundTrip.Value;

    /// <summary>What drafting would have been.</summary>
    private void LearnRehearsed(DecodedRound round)
    {
        if (round.Rehearsed is { } rehearsed)
        {
            LearnAcceptance(rehearsed.AcceptedCount, rehearsed.AcceptedCount < rehearsed.DraftLength || rehearsed.IsEnded);
            if (rehearsed.TokenTime is { } time)
            {
                _draft.Add(time.TotalMilliseconds);
            }
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
            _promised.Add(LatencyModel.Offered(known, round.Choice.DraftLength).Accepted);
        }
    }

    private void LearnDrafting(DecodedRound round)
    {
        // Only drafts from their first token on, without what the drafter missed while nobody drafted.
        if (round.DraftLength > 0 && !round.IsSentAhead && _previous is { DraftLength: > 0, PreDrafts.Hits: 0 })
        {
            _draft.Add(round.DraftTime.TotalMilliseconds / round.DraftLength);
        }
    }

    private void LearnAcceptance(DecodedRound round)
    {
        // A draft that ends early is as good as one that is rejected there.
        var isShort = round.DraftLength < round.Choice.DraftLength && round.Choice == _previous?.Choice;
        LearnAcceptance(round.AcceptedCount, round.AcceptedCount < round.DraftLength || isShort);
    }

    private void LearnAcceptance(int acceptedCount, bool isRejected)
    {
        for (var i = 0; i < Math.Min(acceptedCount, maxDraftLength); i++)
        {
            _acceptance.Add(i, 1);
        }

        if (isRejected && acceptedCount < maxDraftLength)
        {
            _acceptance.Add(acceptedCount, 0);
        }
    }

    private void LearnHits(DecodedRound round)
    {
        if (round.PreDrafts.Rounds == 0)
        {
            return;
        }

        var (length, verify) = (round.Choice.DraftLength, _verify.Estimate());
        _hits.Add(length, round.PreDrafts.FinishedHits, Reach(length, verify, RoundTripMs()));
        if (round.Choice.Mode == DecodingMode.Pipelined)
        {
            _sentHits.Add(length, round.PreDrafts.SentHits, Reach(length, verify, 0));
        }
    }

    /// <summary>The part of a draft of this length that one branch alone gets while a verdict is waited for.</summary>
    private double Reach(int length, double[] verify, double roundTrip)
    {
        var draft = _draft.Value * length;
        return draft > 0 ? Math.Clamp((verify[length] + roundTrip) / draft, LeastReach, 1) : 1;
    }
}
