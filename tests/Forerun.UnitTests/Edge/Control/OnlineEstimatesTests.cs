using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class OnlineEstimatesTests
{
    private readonly MeasuredTimes _times = new(maxDraftLength: 16);
    private readonly OnlineEstimates _estimates;

    public OnlineEstimatesTests() => _estimates = new(_times, maxDraftLength: 16);

    /// <summary>How far offers keep their promise depends on times; only the promise depends on the text.</summary>
    [Fact]
    public void OfferYield_AnotherText_IsKept()
    {
        Offer(rounds: 100, accepted: 1);
        var before = _estimates.Current.OfferYield;
        _estimates.BeginText();
        Offer(rounds: 8, accepted: 4);
        Assert.InRange(_estimates.Current.OfferYield, before, before * 1.4);
    }

    /// <summary>A text that the drafter was poor at, behind which nothing was drafted any more, says little of the next one.</summary>
    [Fact]
    public void Foresight_AnotherText_IsThatOfTheLastTextsNotOfTheLastOne()
    {
        for (var text = 0; text < 8; text++)
        {
            Rehearse(rounds: 16, agreed: text % 2 == 0 ? 0 : 4);
            _estimates.BeginText();
        }

        Assert.InRange(_estimates.Current.Foresight[0], 0.4, 0.6);
        Rehearse(rounds: 32, agreed: 0);
        Assert.InRange(_estimates.Current.Foresight[0], 0, 0.25);
        _estimates.BeginText();
        Assert.InRange(_estimates.Current.Foresight[0], 0.3, 0.5);
    }

    /// <summary>Some verdicts are missed however much time there is to draft: what a small model does not foresee at all.</summary>
    [Fact]
    public void HitRate_MissesWhereDraftingTakesLittle_AreNotTakenToMultiplyWhereItTakesMore()
    {
        LearnDraftTime(TimeSpan.FromMilliseconds(1));
        for (var i = 0; i < 60; i++)
        {
            Learn(new DecodedRound
            {
                Round = 2 + i,
                Tokens = [0],
                Choice = new(DecodingMode.Preemptive, 1),
                DraftLength = 1,
                DraftTime = TimeSpan.FromMilliseconds(1),
                PreDrafts = PreDraftStatistics.None with { Rounds = 1, FinishedHits = i % 10 < 7 ? 1 : 0 },
                ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)),
            });
        }

        var hits = _estimates.Current.HitRate;
        Assert.InRange(hits[1], 0.65, 0.75);
        Assert.InRange(hits[4], 0.35, 0.65);
        Assert.InRange(hits[16], 0, hits[4] / 2);
    }

    private void LearnDraftTime(TimeSpan time) => Learn(new DecodedRound
    {
        Round = 2,
        Tokens = [0],
        Choice = DecodingChoice.Streaming,
        Rehearsed = new(2, 1, 2, IsEnded: false, time),
        ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)),
    });

    private void Rehearse(int rounds, int agreed)
    {
        for (var i = 0; i < rounds; i++)
        {
            Learn(new DecodedRound
            {
                Round = 2 + i,
                Tokens = [0],
                Choice = DecodingChoice.Streaming,
                Rehearsed = new(4, agreed, 4, IsEnded: false, TimeSpan.FromMilliseconds(1)),
                ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)),
            });
        }
    }

    private void Learn(DecodedRound round)
    {
        _times.Learn(round);
        _estimates.Learn(round, _estimates.Current);
    }

    private void Offer(int rounds, int accepted)
    {
        for (var i = 0; i < rounds; i++)
        {
            Learn(new DecodedRound
            {
                Round = 2 + i,
                Tokens = [.. new int[accepted + 1]],
                Choice = new(DecodingMode.Asynchronous, 4),
                DraftLength = 4,
                AcceptedCount = accepted,
                ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)),
            });
        }
    }
}
