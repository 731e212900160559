using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>Learns from rounds what the latency model needs. One caller at a time.</summary>
/// <param name="maxDraftLength">Longest draft.</param>
internal sealed class OnlineEstimates(int maxDraftLength)
{
    private readonly Smoothed _draft = new(prior: 0, priorWeight: 0, memory: 32);
    private readonly Smoothed _roundTrip = new(prior: 0, priorWeight: 0, memory: 16);
    private readonly Smoothed _hits = new(prior: 0.5, priorWeight: 2, memory: 64);
    private readonly Smoothed _sentHits = new(prior: 0.5, priorWeight: 2, memory: 64);
    private readonly Smoothed _acceptance = new(prior: 0.6, priorWeight: 2, memory: 64);
    private readonly Smoothed[] _acceptanceAt =
        [.. Enumerable.Range(0, maxDraftLength).Select(_ => new Smoothed(prior: 0, priorWeight: 0, memory: 64))];

    private readonly VerifyTimes _verify = new(maxDraftLength + 1);
    private DecodedRound? _previous;

    /// <summary>Every time was measured.</summary>
    public bool IsKnown => _verify.IsKnown && _roundTrip.Count > 0;

    /// <summary>What is known now.</summary>
    public LatencyEstimates Current => new()
    {
        DraftMs = _draft.Value,
        VerifyMs = [.. _verify.Estimate()],
        RoundTripMs = _roundTrip.Value,
        Acceptance = [.. _acceptanceAt.Select(Blend)],
        HitRate = _hits.Value,
        SentHitRate = Math.Min(_hits.Value, _sentHits.Value),
    };

    /// <summary>Takes in the next round of a generation.</summary>
    public void Learn(DecodedRound round)
    {
        // The first round has the prompt in it, on both sides.
        if (round.Round > 1 && _previous is { } previous)
        {
            LearnTimes(round, previous);
        }

        // The last verdict may cut an accepted token short, and hits nothing.
        if (round.End is null && round.Choice.Mode != DecodingMode.Autoregressive)
        {
            LearnAcceptance(round);
            LearnHits(round);
        }

        _previous = round;
    }

    private void LearnTimes(DecodedRound round, DecodedRound previous)
    {
        var server = round.ServerTimings.Queue + round.ServerTimings.Compute;
        _verify.Learn(round.DraftLength + 1, server.TotalMilliseconds);
        if (round.Choice.Mode == DecodingMode.Autoregressive)
        {
            return;
        }

        if (!round.IsSentAhead)
        {
            _roundTrip.Add(Math.Max(0, (round.WaitTime - server).TotalMilliseconds));
        }

        // Only drafts from their first token on, without what the drafter missed while nobody drafted.
        if (round.DraftLength > 0 && previous.DraftLength > 0 && previous.PreDrafts.Hits == 0)
        {
            _draft.Add(round.DraftTime.TotalMilliseconds / round.DraftLength);
        }
    }

    private void LearnAcceptance(DecodedRound round)
    {
        for (var i = 0; i < round.AcceptedCount; i++)
        {
            LearnAcceptance(i, 1);
        }

        // A draft that ends early is as good as one that is rejected there.
        var isShort = round.DraftLength < round.Choice.DraftLength && round.Choice == _previous?.Choice;
        if (round.AcceptedCount < round.DraftLength || isShort)
        {
            LearnAcceptance(round.AcceptedCount, 0);
        }
    }

    private void LearnAcceptance(int position, double accepted)
    {
        _acceptance.Add(accepted);
        _acceptanceAt[position].Add(accepted);
    }

    private void LearnHits(DecodedRound round)
    {
        if (round.PreDrafts.Rounds == 0)
        {
            return;
        }

        _hits.Add(round.PreDrafts.FinishedHits);
        if (round.Choice.Mode == DecodingMode.Pipelined)
        {
            _sentHits.Add(round.PreDrafts.SentHits);
        }
    }

    /// <summary>A position that was seldom drafted is taken to be like the others.</summary>
    private double Blend(Smoothed position) =>
        ((position.Count * position.Value) + (4 * _acceptance.Value)) / (position.Count + 4);
}
