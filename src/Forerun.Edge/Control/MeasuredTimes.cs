using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>What drafting, verifying and the way between take, and so how likely a draft token must be to be worth it. Kept over
/// generations. One caller at a time.</summary>
/// <param name="maxDraftLength">Longest draft.</param>
internal sealed class MeasuredTimes(int maxDraftLength)
{
    private const double AnswerWeight = 4;
    private const double MostSurprise = 2;

    // While it streams, values are few: what drafting took in a cold program must give way to what it takes now.
    private readonly Smoothed _draft = new(prior: 0, priorWeight: 0, memory: 8);
    private readonly Smoothed _step = new(prior: 0, priorWeight: 0, memory: 8);
    private readonly Smoothed _roundTrip = new(prior: 0, priorWeight: 0, memory: 16);
    private readonly Smoothed _round = new(prior: 0, priorWeight: 0, memory: 32);

    // One lucky round must not make tokens seem cheap. Two a round: a drafter that is right half of the time.
    private readonly Smoothed _tokens = new(prior: 2, priorWeight: 8, memory: 32);
    private readonly VerificationTimes _verify = new(maxDraftLength + 1);
    private double? _answer;
    private double? _firstWait;
    private DecodedRound? _previous;

    /// <summary>A verification and the way there and back were measured.</summary>
    public bool IsKnown => _verify.IsKnown && (_roundTrip.Count > 0 || (_answer ?? _firstWait) is not null);

    /// <summary>Drafting one token; 0 = not known.</summary>
    public double DraftMs => _draft.Value;

    /// <summary>What rounds waited beside the server's time, and what an answer took as long as few such rounds are known. Without either,
    /// what a first round waited, in which one side may have waited for the other to read the prompt.</summary>
    public double RoundTripMs => _answer is { } answer
        ? ((_roundTrip.Count * _roundTrip.Value) + (AnswerWeight * answer)) / (_roundTrip.Count + AnswerWeight)
        : _roundTrip.Count > 0 ? _roundTrip.Value : _firstWait ?? 0;

    /// <inheritdoc cref="VerificationTimes.AloneShare"/>
    public double AloneShare => _verify.AloneShare;

    /// <summary>The least chance to be accepted with which a draft token is worth it: chance × time per output token is what it
    /// saves, a draft step and a row more to verify are what it costs; 0 until that was measured.</summary>
    public double LeastDraftChance => _round.Value == 0 || _step.Count == 0
        ? 0
        : Math.Min(1, (_step.Value + _verify.RowMs) * _tokens.Value / _round.Value);

    /// <inheritdoc cref="VerificationTimes.Estimate"/>
    public double[] VerifyMs() => _verify.Estimate();

    /// <summary>Takes in the next round of a generation. The first one has the prompt in it, on both sides.</summary>
    public void Learn(DecodedRound round)
    {
        var isStreamed = round.Choice.Mode.IsStreamed();
        if (round.Round > 1)
        {
            _verify.Learn(round, RoundTripMs);
            _round.Add((round.DraftTime + round.WaitTime).TotalMilliseconds);
            _tokens.Add(round.Tokens.Length);
        }
        else
        {
            _verify.BeginGeneration();
        }

        LearnRoundTrip(round, isStreamed);
        LearnDrafting(round, isStreamed);
        _previous = round;
    }

    private void LearnRoundTrip(DecodedRound round, bool isStreamed)
    {
        var waited = Math.Max(0, (round.WaitTime - round.ServerTimings.Total).TotalMilliseconds);
        if (isStreamed && round.RoundTripTime is { } answer)
        {
            _answer = answer.TotalMilliseconds;
        }
        else if (isStreamed && round.Round == 1)
        {
            _firstWait = Math.Min(_firstWait ?? waited, waited);
        }
        else if (!isStreamed && round.Round > 1 && !round.IsSentAhead)
        {
            _roundTrip.Add(Math.Min(waited, MostRoundTripMs(round.DraftLength)));
        }
    }

    /// <summary>A round that took far longer than expected was held up: it counts as twice as long.</summary>
    private double MostRoundTripMs(int draftLength)
    {
        var verify = VerifyMs()[draftLength];
        return _roundTrip.Count > 0 || _answer is not null ? (MostSurprise * (RoundTripMs + verify)) - verify : double.MaxValue;
    }

    private void LearnDrafting(DecodedRound round, bool isStreamed)
    {
        if (isStreamed)
        {
            if (round.Rehearsed?.TokenTime is { } time)
            {
                _draft.Add(time.TotalMilliseconds);
                _step.Add(time.TotalMilliseconds);
            }

            return;
        }

        if (round.DraftStepTime is { } step)
        {
            _step.Add(step.TotalMilliseconds);
        }

        // Only drafts from their first token on, without what the drafter missed while nobody drafted.
        if (round is { DraftLength: > 0, IsSentAhead: false, End: null } && _previous is { DraftLength: > 0, PreDrafts.Hits: 0 })
        {
            // Where a draft ends early, the token behind it was drafted to see that.
            _draft.Add(round.DraftTime.TotalMilliseconds / (round.DraftLength + (round.EndsEarly ? 1 : 0)));
        }
    }
}
