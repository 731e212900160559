using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Protocol;

namespace Forerun.Edge.Control;

/// <summary>Mode auto: chooses by the latency model from what it measures, and keeps that over generations. The same rounds
/// give the same choices. One generation and one caller at a time.</summary>
internal sealed class Controller : IDecodingPolicy
{
    private const double LeastGain = 0.03;
    private const double LeastGainOfOffers = 0.015;
    private const double MostExplorationLoss = 0.2;
    private const int RoundsPerExploration = 128;
    private const int RoundsPerEarlyExploration = 32;
    private const int ExplorationRounds = 4;
    private const int RoundsPerRehearsal = 16;
    private const int PauseRounds = 6;
    private const int MostRoundsInFlight = 64;
    private const int MostRoundsPerGrant = 8;
    private const double MsPerGrant = 50;

    private static readonly ImmutableArray<int> Lengths = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16];

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

    private readonly OnlineEstimates _estimates = new(ProtocolConstants.MaxDraftLength);
    private readonly Dictionary<DecodingMode, SmoothedProfile> _corrections = [];
    private readonly Random _random = new(1);
    private readonly DecodingChoice _rehearsed;
    private DecodingChoice _fastest = DecodingChoice.Streaming;
    private DecodingChoice? _previous;
    private DecodingChoice _explored;
    private int _explorationRounds;
    private int _roundsOfFastest;
    private bool _mayOffer;

    /// <summary>Knows nothing yet.</summary>
    /// <param name="draftLength">The draft length to begin with, 1 … 16.</param>
    public Controller(int draftLength)
    {
        _rehearsed = DecodingChoice.Streaming with { DraftLength = draftLength };
        Decision = new(DecodingChoice.Streaming, ControllerReason.Survey, _estimates.Current, []);
    }

    /// <summary>The newest choice.</summary>
    public ControllerDecision Decision { get; private set; }

    /// <inheritdoc/>
    public int RoundsInFlight
    {
        get
        {
            var (verify, roundTrip) = (Decision.Estimates.VerifyMs[0], Decision.Estimates.RoundTripMs);
            return verify > 0 ? (int)Math.Min(MostRoundsInFlight, 2 + Math.Ceiling(roundTrip / verify)) : 2;
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

        _explorationRounds = 0;
        _previous = null;
        _estimates.BeginText();
        return DecodingMode.Pipelined;
    }

    /// <inheritdoc/>
    public DecodingChoice Next()
    {
        var estimates = _estimates.Current;
        Decision = _estimates.IsKnown ? Choose(estimates) : new(DecodingChoice.Streaming, ControllerReason.Survey, estimates, []);
        var rehearses = Decision.Reason switch
        {
            ControllerReason.Survey => true,
            ControllerReason.Fastest => Decision.Choice == DecodingChoice.Streaming && _random.Next(RoundsPerRehearsal) == 0,
            _ => false,
        };
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

        _estimates.Learn(round);
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
            (_fastest, current, _roundsOfFastest) = (best.Choice, best.MsPerToken, 0);
        }

        _roundsOfFastest++;
        if (_explorationRounds == 0)
        {
            Explore(expected, most: current * (1 + MostExplorationLoss));
        }

        if (_explorationRounds == 0)
        {
            return new(_fastest, ControllerReason.Fastest, estimates, expected);
        }

        _explorationRounds--;
        return new(_explored, ControllerReason.Exploration, estimates, expected);
    }

    /// <summary>Now and then begins some rounds of another choice, or of the plain stream: only while nothing is drafted shows whether
    /// drafting slows the target down.</summary>
    private void Explore(ImmutableArray<ExpectedLatency> expected, double most)
    {
        if (_random.Next(_roundsOfFastest < RoundsPerExploration ? RoundsPerEarlyExploration : RoundsPerExploration) != 0)
        {
            return;
        }

        if (_fastest.Mode == DecodingMode.Asynchronous && _random.Next(2) == 0)
        {
            (_explored, _explorationRounds) = (DecodingChoice.Streaming, PauseRounds);
            return;
        }

        var others = expected.RemoveAll(one => one.Choice == _fastest || one.MsPerToken > most);
        var near = others.RemoveAll(one => !IsNear(one.Choice));
        var among = near.IsEmpty || _random.Next(2) == 0 ? others : near;
        if (!among.IsEmpty)
        {
            var modes = among.GroupBy(one => one.Choice.Mode).ToArray();
            var ofOneMode = modes[_random.Next(modes.Length)].ToArray();
            (_explored, _explorationRounds) = (ofOneMode[_random.Next(ofOneMode.Length)].Choice, ExplorationRounds);
        }
    }

    /// <summary>Beside a stream drafting costs hardly any time, so offers that come to nothing would be made for ever.</summary>
    private void LeaveOffersThatGainNothing(LatencyEstimates estimates)
    {
        if (_fastest.Mode == DecodingMode.Asynchronous
            && Expected(estimates, DecodingChoice.Streaming) < Expected(estimates, _fastest) * (1 + LeastGainOfOffers))
        {
            _fastest = DecodingChoice.Streaming;
        }
    }

    /// <summary>The next shorter or longer drafts: what is fastest moves in such steps.</summary>
    private bool IsNear(DecodingChoice choice) => choice.Mode == _fastest.Mode
        && Math.Abs(Lengths.IndexOf(choice.DraftLength) - Lengths.IndexOf(_fastest.DraftLength)) == 1;

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
