using CsCheck;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Decoding;

public class LatencyModelTests
{
    private static readonly Gen<LatencyEstimates> Estimates = Gen.Select(
        Gen.Double[0, 50], Gen.Double[1, 200], Gen.Double[0, 20], Gen.Double[0, 300], Gen.Double[0, 1].Array[16],
        Gen.Double[0, 1].Array[17], Gen.Double[0, 1],
        (draft, verify, row, roundTrip, acceptance, hits, sent) => new LatencyEstimates
        {
            DraftMs = draft,
            VerifyMs = [.. Enumerable.Range(0, 17).Select(i => verify + (i * row))],
            RoundTripMs = roundTrip,
            Acceptance = [.. acceptance],
            HitRate = [.. hits],
            SentHitRate = [.. hits.Select(hit => hit * sent)],
        });

    [Theory]
    [InlineData(DecodingMode.Autoregressive, 0, 90, 1)]
    [InlineData(DecodingMode.Asynchronous, 2, 100 + (20 * 0.5 * 4 / 11), 1 + (0.5 * 3 / 11))]
    [InlineData(DecodingMode.Speculative, 0, 140, 1)]
    [InlineData(DecodingMode.Speculative, 2, 178, 1.75)]
    [InlineData(DecodingMode.Preemptive, 2, 175, 1.75)]
    [InlineData(DecodingMode.Pipelined, 2, 155, 1.75)]
    public void RoundMs_ByHand_IsTheFormula(DecodingMode mode, int draftLength, double ms, double tokens)
    {
        var estimates = new LatencyEstimates
        {
            DraftMs = 10,
            VerifyMs = [100, 110, 120],
            RoundTripMs = 50,
            Acceptance = [0.5, 0.5],
            HitRate = [0, 0, 0.75],
            SentHitRate = [0, 0, 0.4],
            OfferLag = 1,
            OfferYield = 0.5,
            AloneShare = 0.9,
        };
        Assert.Equal(ms, LatencyModel.RoundMs(estimates, new(mode, draftLength)), 9);
        Assert.Equal(ms / tokens, LatencyModel.MsPerToken(estimates, new(mode, draftLength)), 9);
    }

    /// <summary>Drafts of two tokens have 1.4 on average, and 1.9 are drafted for them.</summary>
    [Theory]
    [InlineData(DecodingMode.Speculative, 19 + 50 + 114, 1.75)]
    [InlineData(DecodingMode.Preemptive, (19 * 0.25) + 50 + 114, 1.75)]
    [InlineData(DecodingMode.Asynchronous, 100 + (20 * 0.6 / 1.384), 2.5 * 0.784 / 1.384)]
    public void RoundMs_DraftsThatEndEarly_IsTheFormula(DecodingMode mode, double ms, double tokens)
    {
        var estimates = new LatencyEstimates
        {
            DraftMs = 10,
            VerifyMs = [100, 110, 120],
            RoundTripMs = 50,
            Acceptance = [0.5, 0.5],
            MeanDraftLength = [0, 0.9, 1.4],
            Foresight = [0.6, 0.6],
            HitRate = [0, 0, 0.75],
            SentHitRate = [0, 0, 0.4],
            OfferLag = 1,
            OfferYield = 1,
        };
        Assert.Equal(ms, LatencyModel.RoundMs(estimates, new(mode, 2)), 9);
        Assert.Equal(ms / tokens, LatencyModel.MsPerToken(estimates, new(mode, 2)), 9);
    }

    [Fact]
    public void Property_MoreOverlapIsNeverSlower() => Gen.Select(Estimates, Gen.Int[0, 16]).Sample((estimates, length) =>
    {
        var times = new[] { DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined }
            .Select(mode => LatencyModel.MsPerToken(estimates, new(mode, length))).ToArray();
        Assert.True(times[0] >= times[1] - 1e-9 && times[1] >= times[2] - 1e-9, string.Join(' ', times));
    });

    [Fact]
    public void Property_Tokens_EqualAcceptance_IsTheGeometricSum() =>
        Gen.Select(Estimates, Gen.Double[0, 0.99], Gen.Int[0, 16]).Sample((estimates, alpha, length) =>
        {
            estimates = estimates with { Acceptance = [.. Enumerable.Repeat(alpha, 16)] };
            Assert.Equal(
                (1 - Math.Pow(alpha, length + 1)) / (1 - alpha), LatencyModel.TokensPerRound(estimates, length), 9);
        });

    /// <summary>With half of the tokens foreseen a stretch has two tokens; one is said by the target, and a half, a sixteenth … of an
    /// offer is verified behind it.</summary>
    [Theory]
    [InlineData(0, 2, 1, 0.75)]
    [InlineData(1, 2, 4.0 / 11, 3.0 / 11)]
    [InlineData(1, 16, 0.3333, 0.3333)]
    public void Offered_ByHand_IsTheStretch(int lag, int draftLength, double share, double accepted)
    {
        var estimates = new LatencyEstimates
        {
            DraftMs = 1,
            VerifyMs = [1],
            RoundTripMs = 1,
            Acceptance = [0.5],
            HitRate = [0],
            SentHitRate = [0],
            OfferLag = lag,
        };
        var offered = LatencyModel.Offered(estimates, draftLength);
        Assert.Equal(share, offered.Share, 4);
        Assert.Equal(accepted, offered.Accepted, 4);
    }

    [Fact]
    public void Property_Offered_LongerLagsBringLessAndLongerDraftsMore() =>
        Gen.Select(Estimates, Gen.Int[1, 15], Gen.Int[0, 15]).Sample((estimates, length, lag) =>
        {
            var one = LatencyModel.Offered(estimates with { OfferLag = lag }, length);
            Assert.InRange(one.Share, 0, 1);
            Assert.InRange(one.Accepted, -1e-9, length + 1e-9);
            Assert.True(LatencyModel.Offered(estimates with { OfferLag = lag + 1 }, length).Accepted <= one.Accepted + 1e-9);
            Assert.True(LatencyModel.Offered(estimates with { OfferLag = lag }, length + 1).Accepted >= one.Accepted - 1e-9);
        });

    [Fact]
    public void Property_WithoutHits_NothingIsGained() => Gen.Select(Estimates, Gen.Int[0, 16]).Sample((estimates, length) =>
    {
        estimates = estimates with { HitRate = [.. new double[17]], SentHitRate = [.. new double[17]] };
        var plain = LatencyModel.RoundMs(estimates, new(DecodingMode.Speculative, length));
        Assert.Equal(plain, LatencyModel.RoundMs(estimates, new(DecodingMode.Preemptive, length)), 9);
        Assert.Equal(plain, LatencyModel.RoundMs(estimates, new(DecodingMode.Pipelined, length)), 9);
    });

    [Fact]
    public void Property_UselessDrafter_StreamingIsTheFastest() =>
        Gen.Select(Estimates, Gen.Int[1, 16], Gen.Int[1, 3]).Sample((estimates, length, mode) =>
        {
            estimates = estimates with { Acceptance = [.. new double[16]] };
            var streaming = LatencyModel.MsPerToken(estimates, new(DecodingMode.Autoregressive, 0));
            Assert.True(streaming <= LatencyModel.MsPerToken(estimates, new((DecodingMode)mode, length)));
        });

    [Theory]
    [InlineData(DecodingMode.Colocated)]
    [InlineData(DecodingMode.Auto)]
    public void RoundMs_ModesThatTheEdgeCannotChoose_AreRefused(DecodingMode mode)
    {
        var estimates = new LatencyEstimates
        {
            DraftMs = 1,
            VerifyMs = [1, 1],
            RoundTripMs = 1,
            Acceptance = [1],
            HitRate = [0, 0],
            SentHitRate = [0, 0],
        };
        Assert.Throws<ArgumentOutOfRangeException>(() => LatencyModel.RoundMs(estimates, new(mode, 1)));
    }
}
