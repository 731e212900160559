using CsCheck;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Decoding;

public class RoundStatisticsTests
{
    [Fact]
    public void None_NothingDrafted_HasNoRates()
    {
        Assert.Null(RoundStatistics.None.AcceptanceRate);
        Assert.Null(RoundStatistics.None.MeanAcceptanceLength);
        Assert.Null(RoundStatistics.OfRound(0, 0).AcceptanceRate);
        Assert.Equal(1.0, RoundStatistics.OfRound(0, 0).MeanAcceptanceLength);
    }

    [Fact]
    public void Add_ThreeRounds_SumsEverything()
    {
        var first = RoundStatistics.OfRound(4, 1) with
        {
            DraftTime = TimeSpan.FromMilliseconds(3),
            WaitTime = TimeSpan.FromMilliseconds(7),
            PreDrafts = new()
            {
                Rounds = 1,
                FullAcceptanceHits = 1,
                AlternativeHits = 2,
                AnnouncementHits = 3,
                FinishedHits = 4,
                SentHits = 5,
                SentDrafts = 6,
                Tokens = 7,
                WastedTokens = 8,
                HiddenTime = TimeSpan.FromMilliseconds(9),
            },
        };
        var sum = RoundStatistics.None + first + first + RoundStatistics.OfRound(4, 4);
        Assert.Equal(3, sum.Rounds);
        Assert.Equal(12, sum.DraftedTokens);
        Assert.Equal(6, sum.AcceptedTokens);
        Assert.Equal(6, sum.WastedTokens);
        Assert.Equal(9, sum.OutputTokens);
        Assert.Equal([3, 1, 1, 1], sum.AcceptedPerPosition);
        Assert.Equal(TimeSpan.FromMilliseconds(6), sum.DraftTime);
        Assert.Equal(TimeSpan.FromMilliseconds(14), sum.WaitTime);
        Assert.Equal(0.5, sum.AcceptanceRate);
        Assert.Equal(3.0, sum.MeanAcceptanceLength);
        Assert.Equal(first.PreDrafts + first.PreDrafts, sum.PreDrafts);
        Assert.Equal((2, 2, 4, 6, 8), (sum.PreDrafts.Rounds, sum.PreDrafts.FullAcceptanceHits,
            sum.PreDrafts.AlternativeHits, sum.PreDrafts.AnnouncementHits, sum.PreDrafts.FinishedHits));
        Assert.Equal((10, 12, 14, 16, 18.0), (sum.PreDrafts.SentHits, sum.PreDrafts.SentDrafts, sum.PreDrafts.Tokens,
            sum.PreDrafts.WastedTokens, sum.PreDrafts.HiddenTime.TotalMilliseconds));
        Assert.Equal((12, 6.0), (sum.PreDrafts.Hits, sum.PreDrafts.HitRate));
        Assert.Null(PreDraftStatistics.None.HitRate);
    }

    [Fact]
    public void AcceptedPerPosition_AnyRounds_NeverIncreasesAndSumsToAccepted() =>
        Gen.Int[0, 8].Array[0, 20].Sample(accepted =>
        {
            var sum = accepted.Aggregate(RoundStatistics.None, (s, k) => s + RoundStatistics.OfRound(8, k));
            Assert.Equal(accepted.Sum(), sum.AcceptedPerPosition.Sum());
            Assert.Equal(sum.AcceptedPerPosition.OrderDescending(), sum.AcceptedPerPosition);
        });

    [Fact]
    public void OfRound_MoreAcceptedThanDrafted_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => RoundStatistics.OfRound(2, 3));
}
