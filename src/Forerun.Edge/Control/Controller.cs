using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Protocol;

namespace Forerun.Edge.Control;

/// <summary>Mode auto: chooses by the latency model from what it measures, and keeps that over generations. The same rounds
/// give the same choices. One generation and one caller at a time.</summary>
internal sealed class Controller : IDecodingPolicy
{
    private const double LeastGain = 0.03;
    private const double MostExplorationLoss = 0.3;
    private const int RoundsPerExploration = 64;
    private const int ExplorationRounds = 6;
    private const int GenerationsPerExploration = 8;
    private const int GenerationsPerDearExploration = 64;

    private static readonly DecodingChoice Streaming = new(DecodingMode.Autoregressive, 0);

    private static readonly ImmutableArray<int> Lengths = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16];

    // A session that may send ahead may also not; an empty draft is a round without drafting.
    private static readonly ImmutableArray<DecodingChoice> Drafting =
    [
        new(DecodingMode.Speculative, 0),
        .. from mode in new[] { DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined }
           from length in Lengths
           select new DecodingChoice(mode, length),
    ];

    private readonly OnlineEstimates _estimates = new(ProtocolConstants.MaxDraftLength);
    private readonly Dictionary<DecodingChoice, Smoothed> _corrections = [];
    private readonly Queue<DecodingChoice> _survey;
    private readonly Random _random = new(1);
    private DecodingChoice _fastest;
    private DecodingChoice _previous;
    private DecodingChoice _explored;
    private int _explorationRounds;
    private bool _isStreaming;

    /// <summary>Knows nothing yet.</summary>
    /// <param name="draftLength">The draft length to begin with, 1 … 16.</param>
    public Controller(int draftLength)
    {
        var more = Math.Min(2 * draftLength, ProtocolConstants.MaxDraftLength);
        _fastest = new(DecodingMode.Pipelined, draftLength);
        _survey = new(
        [
            new(DecodingMode.Speculative, draftLength),
            new(DecodingMode.Speculative, draftLength),
            _fastest,
            _fastest,
            _fastest,
            new(DecodingMode.Speculative, 0),
            new(DecodingMode.Pipelined, more),
        ]);
        Decision = new(_fastest, ControllerReason.Survey, _estimates.Current, []);
    }

    /// <summary>The newest choice.</summary>
    public ControllerDecision Decision { get; private set; }

    /// <inheritdoc/>
    public DecodingMode Open()
    {
        _explorationRounds = 0;
        var wasStreaming = _isStreaming;
        _isStreaming = false;
        if (_survey.Count > 0 || !_estimates.IsKnown)
        {
            return DecodingMode.Pipelined;
        }

        var estimates = _estimates.Current;
        var streaming = Expected(estimates, Streaming);
        var drafting = Drafting.Min(choice => Expected(estimates, choice));
        var isFastest = wasStreaming ? drafting >= streaming * (1 - LeastGain) : streaming < drafting * (1 - LeastGain);
        var isDear = drafting > streaming * (1 + MostExplorationLoss);
        _isStreaming = isFastest
            && _random.Next(isDear ? GenerationsPerDearExploration : GenerationsPerExploration) > 0;
        return _isStreaming ? DecodingMode.Autoregressive : DecodingMode.Pipelined;
    }

    /// <inheritdoc/>
    public DecodingChoice Next()
    {
        var estimates = _estimates.Current;
        Decision = _isStreaming ? new(Streaming, ControllerReason.Fastest, estimates, AllExpected(estimates))
            : _survey.TryDequeue(out var tried) ? new(tried, ControllerReason.Survey, estimates, [])
            : !_estimates.IsKnown ? new(_fastest, ControllerReason.Survey, estimates, [])
            : Choose(estimates);
        return Decision.Choice;
    }

    /// <inheritdoc/>
    public void Learn(DecodedRound round)
    {
        // Drafting ahead shows in the round after: only the second of two equal choices tells what it takes.
        if (round.Round > 2 && round.Choice == _previous && _estimates.IsKnown)
        {
            var expected = LatencyModel.RoundMs(_estimates.Current, round.Choice);
            var taken = (round.DraftTime + round.WaitTime).TotalMilliseconds;
            CorrectionOf(round.Choice).Add(expected > 0 ? Math.Clamp(taken / expected, 0.25, 4) : 1);
        }

        _estimates.Learn(round);
        _previous = round.Choice;
    }

    private ControllerDecision Choose(LatencyEstimates estimates)
    {
        var expected = AllExpected(estimates);
        var drafting = expected.RemoveAt(expected.Length - 1);
        var best = drafting.MinBy(one => one.MsPerToken);
        var current = Expected(estimates, _fastest);
        if (best.MsPerToken < current * (1 - LeastGain))
        {
            (_fastest, current) = (best.Choice, best.MsPerToken);
        }

        if (_explorationRounds == 0 && _random.Next(RoundsPerExploration) == 0)
        {
            var others = drafting.RemoveAll(
                one => one.Choice == _fastest || one.MsPerToken > current * (1 + MostExplorationLoss));
            var near = others.RemoveAll(one => !IsNear(one.Choice));
            var among = near.IsEmpty || _random.Next(2) == 0 ? others : near;
            if (!among.IsEmpty)
            {
                (_explored, _explorationRounds) = (among[_random.Next(among.Length)].Choice, ExplorationRounds);
            }
        }

        if (_explorationRounds == 0)
        {
            return new(_fastest, ControllerReason.Fastest, estimates, expected);
        }

        _explorationRounds--;
        return new(_explored, ControllerReason.Exploration, estimates, expected);
    }

    /// <summary>The next shorter or longer drafts: what is fastest moves in such steps.</summary>
    private bool IsNear(DecodingChoice choice) => choice.Mode == _fastest.Mode
        && Math.Abs(Lengths.IndexOf(choice.DraftLength) - Lengths.IndexOf(_fastest.DraftLength)) == 1;

    /// <summary>Of every choice, streaming last.</summary>
    private ImmutableArray<ExpectedLatency> AllExpected(LatencyEstimates estimates) =>
        [.. Drafting.Append(Streaming).Select(choice => new ExpectedLatency(choice, Expected(estimates, choice)))];

    private double Expected(LatencyEstimates estimates, DecodingChoice choice) =>
        LatencyModel.MsPerToken(estimates, choice)
        * (_corrections.TryGetValue(choice, out var correction) ? correction.Value : 1);

    /// <summary>What a choice took ÷ what the model said.</summary>
    private Smoothed CorrectionOf(DecodingChoice choice)
    {
        if (!_corrections.TryGetValue(choice, out var correction))
        {
            _corrections[choice] = correction = new Smoothed(prior: 1, priorWeight: 4, memory: 128);
        }

        return correction;
    }
}
