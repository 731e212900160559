using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Protocol;

namespace Forerun.Edge.Control;

/// <summary>Mode auto: chooses by the latency model from what it measures, and keeps that over generations. The same rounds
/// give the same choices. One generation and one caller at a time.</summary>
internal sealed class Controller : IDecodingPolicy
{
    /// <summary>What offers must be expected to gain over the plain stream.</summary>
    public const double LeastGainOfOffers = 0.015;

    private const double LeastGain = 0.03;
    private const int LeastRoundsPerRehearsal = 16;
    private const int MostRoundsPerRehearsal = 64;
    private const int MostRoundsInFlight = 1024;
    private const double FasterThanMeasured = 2;
    private const int MostRoundsPerGrant = 8;
    private const double MsPerGrant = 50;

    /// <summary>The draft lengths that are chosen from.</summary>
    public static readonly ImmutableArray<int> Lengths = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16];

    private static readonly ImmutableArray<DecodingChoice> Choices =
    [
        DecodingChoice.Streaming,
        .. from mode in new[]
           {
               DecodingMode.Asynchronous, DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined,
           }
           from length in Lengths
           select new DecodingChoice(mode, length),
    ];

    private readonly OnlineEstimates _estimates;
    private readonly Dictionary<DecodingMode, SmoothedProfile> _corrections = [];
    private readonly Random _random = new(1);
    private readonly Exploration _exploration;
    private readonly DecodingChoice _rehearsed;
    private readonly DecodingChoice _surveyed;
    private DecodingChoice _fastest = DecodingChoice.Streaming;
    private DecodingChoice? _previous;
    private bool _mayOffer;

    /// <summary>Knows nothing yet.</summary>
    /// <param name="draftLength">The draft length to begin with, 1 … 16.</param>
    /// <param name="times">What was measured; learn from a round before this does.</param>
    public Controller(int draftLength, MeasuredTimes times)
    {
        _estimates = new OnlineEstimates(times, ProtocolConstants.MaxDraftLength);
        _rehearsed = DecodingChoice.Streaming with { DraftLength = draftLength };
        _surveyed = new(DecodingMode.Asynchronous, draftLength);
        _exploration = new Exploration(_random);
        Decision = new(DecodingChoice.Streaming, ControllerReason.Survey, _estimates.Current, []);
    }

    /// <summary>The newest choice.</summary>
    public ControllerDecision Decision { get; private set; }

    /// <inheritdoc/>
    public int RoundsInFlight
    {
        get
        {
            // Passes may be faster in a moment, and a stream that is told of too few rounds waits.
            var estimates = Decision.Estimates;
            var fast = estimates.VerifyMs[0] * estimates.AloneShare / FasterThanMeasured;
            return fast > 0 ? (int)Math.Min(MostRoundsInFlight, 2 + Math.Ceiling(estimates.RoundTripMs / fast)) : 2;
        }
    }

    /// <inheritdoc/>
    public int RoundsPerGrant
    {
        get
        {
            var verify = Decision.Estimates.VerifyMs[0];
            return verify > 0 ? (int)Math.Clamp(Math.Ceiling(MsPerGrant / verify), 1, MostRoundsPerGrant) : MostRoundsPerGrant;
        }
    }

    /// <inheritdoc/>
    public DecodingMode Open(bool mayOffer)
    {
        _mayOffer = mayOffer;
        if (!mayOffer && _fastest.Mode == DecodingMode.Asynchronous)
        {
            _fastest = DecodingChoice.Streaming;
        }

        _exploration.End();
        _previous = null;
        _estimates.BeginText();
        return DecodingMode.Pipelined;
    }

    /// <inheritdoc/>
    public DecodingChoice Next()
    {
        var estimates = _estimates.Current;
        if (!_estimates.IsKnown)
        {
            Decision = new(_mayOffer ? _surveyed : DecodingChoice.Streaming, ControllerReason.Survey, estimates, []);
            return _mayOffer ? _surveyed : _rehearsed;
        }

        Decision = Choose(estimates);
        var rehearses = Decision.Reason == ControllerReason.Fastest && Decision.Choice == DecodingChoice.Streaming
            && _random.Next(RoundsPerRehearsal(estimates)) == 0;
        return rehearses ? _rehearsed : Decision.Choice;
    }

    /// <inheritdoc/>
    public void Learn(DecodedRound round)
    {
        // Drafting ahead shows in the round after: only the second of two equal choices tells what it takes. Of the plain stream the
        // model leaves nothing out.
        if (round.Choice == _previous && round.Choice != DecodingChoice.Streaming && _estimates.IsKnown)
        {
            var expected = LatencyModel.RoundMs(Decision.Estimates, round.Choice);
            var taken = (round.DraftTime + round.WaitTime).TotalMilliseconds;
            CorrectionsOf(round.Choice.Mode).Add(round.Choice.DraftLength, expected > 0 ? Math.Clamp(taken / expected, 0.25, 4) : 1);
        }

        _exploration.Learn(round);
        _estimates.Learn(round, Decision.Estimates);
        _previous = round.Round > 1 ? round.Choice : null;
    }

    private ControllerDecision Choose(LatencyEstimates estimates)
    {
        var expected = AllExpected(estimates);
        var best = expected.MinBy(one => one.MsPerToken);
        LeaveOffersThatGainNothing(estimates);
        var current = Expected(estimates, _fastest);
        var least = _fastest == DecodingChoice.Streaming && best.Choice.Mode.IsStreamed() ? LeastGainOfOffers : LeastGain;
        if (best.MsPerToken < current * (1 - least))
        {
            (_fastest, current) = (best.Choice, best.MsPerToken);
        }

        _exploration.Next(new(_fastest, current), expected, estimates);
        return _exploration.Choice is { } explored
            ? new(explored, ControllerReason.Exploration, estimates, expected)
            : new(_fastest, ControllerReason.Fastest, estimates, expected);
    }

    /// <summary>Where drafting slows the target down, a rehearsal costs a part of the passes beside it, and is rarer.</summary>
    private int RoundsPerRehearsal(LatencyEstimates estimates) => (int)Math.Clamp(
        (1 - estimates.AloneShare) * _rehearsed.DraftLength / Exploration.ShareOfTime, LeastRoundsPerRehearsal, MostRoundsPerRehearsal);

    /// <summary>Beside a stream drafting costs hardly any time, so offers that come to nothing would be made for ever.</summary>
    private void LeaveOffersThatGainNothing(LatencyEstimates estimates)
    {
        if (_fastest.Mode == DecodingMode.Asynchronous
            && Expected(estimates, DecodingChoice.Streaming) < Expected(estimates, _fastest) * (1 + LeastGainOfOffers))
        {
            _fastest = DecodingChoice.Streaming;
        }
    }

    private ImmutableArray<ExpectedLatency> AllExpected(LatencyEstimates estimates) =>
        [.. Choices.Where(choice => _mayOffer || choice.Mode != DecodingMode.Asynchronous).Select(choice => new ExpectedLatency(choice, Expected(estimates, choice)))];

    private double Expected(LatencyEstimates estimates, DecodingChoice choice) =>
        LatencyModel.MsPerToken(estimates, choice) * CorrectionsOf(choice.Mode).Value(choice.DraftLength);

    /// <summary>What a mode took ÷ what the model said, by draft length.</summary>
    private SmoothedProfile CorrectionsOf(DecodingMode mode)
    {
        if (!_corrections.TryGetValue(mode, out var corrections))
        {
            _corrections[mode] = corrections = new SmoothedProfile(ProtocolConstants.MaxDraftLength + 1, prior: 1);
        }

        return corrections;
    }
}
