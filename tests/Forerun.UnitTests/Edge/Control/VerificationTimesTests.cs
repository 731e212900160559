using Forerun.Core.Decoding;
using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class VerificationTimesTests
{
    private readonly VerificationTimes _times = new(maxRows: 8);

    [Fact]
    public void AloneShare_FasterAlone_IsLearntAndLeavesTheTimesBesideDraftingAsTheyWere()
    {
        Learn(isAlone: false, ms: 10, rounds: 16);
        Learn(isAlone: true, ms: 6, rounds: 32);
        Assert.Equal(0.6, _times.AloneShare, 0.06);
        Assert.Equal(10, _times.Estimate()[0], 0.01);
    }

    [Fact]
    public void AloneShare_BesideDraftsThatAreVerified_IsLearntToo()
    {
        for (var i = 0; i < 4; i++)
        {
            Learn(isAlone: false, ms: 11, rounds: 8, draftLength: 2);
            Learn(isAlone: false, ms: 12, rounds: 8, draftLength: 4);
            Learn(isAlone: true, ms: 6, rounds: 6);
        }

        Assert.Equal(0.6, _times.AloneShare, 0.1);
        Assert.Equal(10, _times.Estimate()[0], 0.5);
        Assert.Equal(12, _times.Estimate()[4], 0.2);
    }

    [Fact]
    public void AloneShare_BothSlower_Stays()
    {
        Learn(isAlone: false, ms: 10, rounds: 16);
        for (var i = 0; i < 16; i++)
        {
            Learn(isAlone: false, ms: 20, rounds: 32);
            Learn(isAlone: true, ms: 16, rounds: 6);
        }

        Assert.Equal(0.8, _times.AloneShare, 0.05);
        Assert.Equal(20, _times.Estimate()[0], 0.5);
    }

    /// <summary>While it streams plainly, drafting that disturbed the target once is noticed to do so no more.</summary>
    [Fact]
    public void AloneShare_FewRoundsOfRehearsalsThatDisturbNothing_IsOneAgain()
    {
        Learn(isAlone: false, ms: 20, rounds: 32);
        Learn(isAlone: true, ms: 14, rounds: 32);
        Assert.InRange(_times.AloneShare, 0.7, 0.75);
        for (var i = 0; i < 16; i++)
        {
            _times.BeginGeneration();
            Learn(isAlone: true, ms: 14, rounds: 31);
            Learn(isAlone: false, ms: 14, rounds: 2);
            Learn(isAlone: true, ms: 14, rounds: 31);
        }

        Assert.InRange(_times.AloneShare, 0.95, 1);
    }

    /// <summary>On machines that others use too single passes take far longer or shorter, alone or not.</summary>
    [Fact]
    public void AloneShare_TimesVaryAndDraftingDisturbsNothing_IsOne()
    {
        var random = new Random(1);
        var shares = new List<double>();
        for (var i = 0; i < 40; i++)
        {
            for (var round = 0; round < 30; round++)
            {
                Learn(isAlone: round >= 24, ms: 7 + (6 * random.NextDouble()), rounds: 1);
            }

            shares.Add(_times.AloneShare);
        }

        Assert.InRange(shares.Average(), 0.97, 1);
    }

    [Fact]
    public void AloneShare_PassesFromBeforeTheRoundTrip_DoNotCount()
    {
        Learn(isAlone: false, ms: 10, rounds: 16);
        Learn(isAlone: true, ms: 5, rounds: 5, roundTripMs: 40);
        Assert.Equal(1, _times.AloneShare);
        Learn(isAlone: true, ms: 5, rounds: 1, roundTripMs: 40);
        Assert.True(_times.AloneShare < 1);
    }

    [Fact]
    public void AloneShare_PassesOfAnotherGeneration_AreNotCompared()
    {
        Learn(isAlone: false, ms: 20, rounds: 64);
        _times.BeginGeneration();
        Learn(isAlone: true, ms: 12, rounds: 64);
        Assert.Equal(1, _times.AloneShare);
        Assert.Equal(12, _times.Estimate()[0], 1.0);
    }

    [Fact]
    public void Estimate_OnlyAlone_FollowsTheMachine()
    {
        Learn(isAlone: true, ms: 10, rounds: 16);
        Learn(isAlone: true, ms: 20, rounds: 128);
        Assert.Equal(1, _times.AloneShare);
        Assert.Equal(20, _times.Estimate()[0], 1.0);
    }

    private void Learn(bool isAlone, double ms, int rounds, double roundTripMs = 1, int draftLength = 0)
    {
        for (var i = 0; i < rounds; i++)
        {
            _times.Learn(
                new()
                {
                    Round = 2,
                    Tokens = [1],
                    DraftLength = draftLength,
                    Choice = isAlone ? DecodingChoice.Streaming : new(draftLength > 0 ? DecodingMode.Pipelined : DecodingMode.Asynchronous, 4),
                    IsAlone = isAlone,
                    ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(ms)),
                },
                roundTripMs);
        }
    }
}
