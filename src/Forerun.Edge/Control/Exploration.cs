using System.Collections.Immutable;
using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>Now and then begins some rounds of another choice than the fastest, or of the plain stream, to see whether what is known
/// still holds. What that is expected to cost is saved up before: a small share of all time. The same rounds give the same
/// explorations. One caller at a time.</summary>
/// <param name="random">The chances.</param>
internal sealed class Exploration(Random random)
{
    /// <summary>The part of all time that trying things out may cost.</summary>
    public const double ShareOfTime = 0.0075;

    private const double MostLoss = 0.2;
    private const int RoundsPerExploration = 32;
    private const int WaitingRounds = 4;
    private const int OfferingRounds = 12;
    private const int PauseRounds = 6;

    private double _savedMs;
    private int _roundsLeft;

    /// <summary>What is explored now; null = nothing.</summary>
    public DecodingChoice? Choice { get; private set; }

    /// <summary>Ends what is explored.</summary>
    public void End() => (Choice, _roundsLeft) = (null, 0);

    /// <summary>A round begins: perhaps an exploration does.</summary>
    /// <param name="fastest">The choice that is expected to be the fastest.</param>
    /// <param name="expected">What is expected of all of them.</param>
    /// <param name="estimates">Why.</param>
    public void Next(ExpectedLatency fastest, ImmutableArray<ExpectedLatency> expected, LatencyEstimates estimates)
    {
        if (Choice is not null || random.Next(RoundsPerExploration) != 0)
        {
            return;
        }

        // Only while nothing is drafted shows whether drafting slows the target down.
        var explored = fastest.Choice.Mode == DecodingMode.Asynchronous && random.Next(2) == 0
            ? expected.Single(one => one.Choice == DecodingChoice.Streaming)
            : Other(fastest, expected, estimates);
        if (explored is { } other)
        {
            Begin(other, fastest, estimates);
        }
    }

    /// <summary>A round is over. It counts only when it was decoded as explored: what was granted to a stream runs out first.</summary>
    public void Learn(DecodedRound round)
    {
        _savedMs += ShareOfTime * (round.DraftTime + round.WaitTime).TotalMilliseconds;
        if (round.Choice == Choice && --_roundsLeft == 0)
        {
            End();
        }
    }

    /// <summary>Any mode that is not expected to lose much, half of the time one draft length from the fastest. Offers that promise hardly a
    /// token lose nothing and gain nothing: they would be explored for ever.</summary>
    private ExpectedLatency? Other(ExpectedLatency fastest, ImmutableArray<ExpectedLatency> expected, LatencyEstimates estimates)
    {
        var others = expected.RemoveAll(one => one.Choice == fastest.Choice || one.MsPerToken > fastest.MsPerToken * (1 + MostLoss)
            || (one.Choice.Mode == DecodingMode.Asynchronous && LatencyModel.TokensPerRound(estimates, one.Choice) < 1 + Controller.LeastGainOfOffers));
        var near = others.RemoveAll(one => !IsNear(one.Choice, fastest.Choice));
        var among = near.IsEmpty || random.Next(2) == 0 ? others : near;
        var modes = among.GroupBy(one => one.Choice.Mode).ToArray();
        if (modes.Length == 0)
        {
            return null;
        }

        var ofOneMode = modes[random.Next(modes.Length)].ToArray();
        return ofOneMode[random.Next(ofOneMode.Length)];
    }

    private void Begin(ExpectedLatency explored, ExpectedLatency fastest, LatencyEstimates estimates)
    {
        var rounds = explored.Choice.Mode switch
        {
            DecodingMode.Autoregressive => PauseRounds,
            DecodingMode.Asynchronous => estimates.OfferLag + OfferingRounds,
            _ => WaitingRounds,
        };
        var lostMs = rounds * LatencyModel.TokensPerRound(estimates, explored.Choice) * (explored.MsPerToken - fastest.MsPerToken);
        var breakMs = fastest.Choice.Mode.IsStreamed() && !explored.Choice.Mode.IsStreamed() ? estimates.RoundTripMs : 0;
        var costMs = Math.Max(0, lostMs) + breakMs;
        if (costMs <= _savedMs)
        {
            _savedMs -= costMs;
            (Choice, _roundsLeft) = (explored.Choice, rounds);
        }
    }

    /// <summary>The next shorter or longer drafts: what is fastest moves in such steps.</summary>
    private static bool IsNear(DecodingChoice choice, DecodingChoice other) => choice.Mode == other.Mode
        && Math.Abs(Controller.Lengths.IndexOf(choice.DraftLength) - Controller.Lengths.IndexOf(other.DraftLength)) == 1;
}
