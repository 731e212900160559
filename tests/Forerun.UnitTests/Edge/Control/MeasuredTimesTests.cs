using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class MeasuredTimesTests
{
    private readonly MeasuredTimes _times = new(maxDraftLength: 16);

    /// <summary>A draft token takes 5 ms on average, 4 after the first, a verification 60 ms and 2 ms more per draft token, the way 12 ms; two output tokens a round.
    /// </summary>
    [Fact]
    public void LeastDraftChance_IsWhatATokenCosts_DividedByTheTimePerOutputToken()
    {
        Assert.Equal(0, _times.LeastDraftChance);
        for (var round = 1; round <= 200; round++)
        {
            _times.Learn(Round(round, draftLength: 2 + (round % 2 * 2)));
        }

        Assert.Equal(5, _times.DraftMs, 0.01);
        Assert.Equal(12, _times.RoundTripMs, 0.01);
        var row = (_times.VerifyMs()[^1] - _times.VerifyMs()[0]) / 16;
        Assert.Equal(2, row, 0.3);
        Assert.Equal((4 + row) / 46.5, _times.LeastDraftChance, 0.002);
    }

    [Fact]
    public void LeastDraftChance_FirstRound_SaysNothing()
    {
        _times.Learn(Round(1));
        Assert.Equal(0, _times.LeastDraftChance);
    }

    /// <summary>Without that, all drafts after a lucky first one would be short, and so never lucky again.</summary>
    [Fact]
    public void LeastDraftChance_OneLuckyRound_CountsLittle()
    {
        _times.Learn(Round(1));
        _times.Learn(Round(2) with { Tokens = [1, 2, 3, 4, 5] });
        Assert.InRange(_times.LeastDraftChance, 0.04, 0.04 * 2.5);
    }

    /// <summary>What a row costs is not known from passes of one length, and mostly it is little.</summary>
    [Fact]
    public void LeastDraftChance_DraftsOfOneLength_CountsTheDraftStepAlone()
    {
        for (var round = 1; round < 4; round++)
        {
            _times.Learn(Round(round));
        }

        Assert.Equal(4 / 50.0, _times.LeastDraftChance, 0.002);
    }

    /// <summary>In the first round both sides read the prompt, and one of them may have waited for the other.</summary>
    [Fact]
    public void RoundTripMs_AnswersAreKnown_TheFirstRoundSaysNothing()
    {
        var streamed = Round(1, draftLength: 0) with { Choice = DecodingChoice.Streaming, DraftStepTime = null };
        _times.Learn(streamed with { WaitTime = TimeSpan.FromMilliseconds(180) });
        Assert.Equal(120, _times.RoundTripMs, 0.01);
        _times.Learn(streamed with { Round = 2, RoundTripTime = TimeSpan.FromMilliseconds(1) });
        Assert.Equal(1, _times.RoundTripMs, 0.01);
    }

    /// <summary>A verdict that something held up says little about the way: that it took twice what a round takes, at most.</summary>
    [Fact]
    public void RoundTripMs_OneRoundHeldUp_HardlyMoves()
    {
        var streamed = Round(1, draftLength: 0) with { Choice = DecodingChoice.Streaming, DraftStepTime = null, RoundTripTime = TimeSpan.FromMilliseconds(1) };
        for (var round = 1; round < 9; round++)
        {
            _times.Learn(streamed with { Round = round });
        }

        _times.Learn(Round(9) with { WaitTime = TimeSpan.FromMilliseconds(600) });
        Assert.InRange(_times.RoundTripMs, 1, 15);
    }

    [Fact]
    public void RoundTripMs_LinkBecameSlow_IsFoundWithinSomeRounds()
    {
        for (var round = 1; round < 60; round++)
        {
            _times.Learn(Round(round) with { WaitTime = TimeSpan.FromMilliseconds(round < 9 ? 70 : 568) });
        }

        Assert.InRange(_times.RoundTripMs, 400, 510);
    }

    /// <summary>That a draft ended was seen by drafting one token more.</summary>
    [Fact]
    public void DraftMs_DraftsThatEndEarly_CountTheTokenThatWasDraftedToSeeIt()
    {
        for (var round = 1; round < 20; round++)
        {
            _times.Learn(Round(round) with { EndsEarly = true });
        }

        Assert.Equal(4, _times.DraftMs, 0.01);
    }

    [Fact]
    public void DraftMs_WhereSomethingWasDraftedAhead_IsNotMeasured()
    {
        for (var round = 1; round < 20; round++)
        {
            _times.Learn(Round(round) with { DraftStepTime = null, PreDrafts = PreDraftStatistics.None with { AlternativeHits = 1 } });
        }

        Assert.Equal(0, _times.DraftMs);
        Assert.Equal(0, _times.LeastDraftChance);
    }

    private static DecodedRound Round(int round, int draftLength = 4) => new()
    {
        Round = round,
        Choice = new(DecodingMode.Speculative, 4),
        Tokens = [1, 2],
        DraftLength = draftLength,
        AcceptedCount = 1,
        IsAlone = true,
        DraftStepTime = TimeSpan.FromMilliseconds(4),
        DraftTime = TimeSpan.FromMilliseconds(5 * draftLength),
        WaitTime = TimeSpan.FromMilliseconds(72 + (2 * draftLength)),
        ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(60 + (2 * draftLength))),
    };
}
