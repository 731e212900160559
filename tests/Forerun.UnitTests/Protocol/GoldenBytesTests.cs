using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Draft = Forerun.Core.Decoding.Draft;

namespace Forerun.UnitTests.Protocol;

/// <summary>The bytes of each message: they never change within a protocol version.</summary>
public class GoldenBytesTests
{
    [Fact]
    public void Open_Speculative_HasTheseBytes() => AssertBytes(
        OpenMapping.ToMessage(new Opening
        {
            TokenizerFingerprint = "tok",
            TargetId = "t",
            NumericsId = "n",
            Request = new GenerationRequest
            {
                PromptTokens = [1, 300, 49151],
                MaxTokens = 64,
                IgnoreEndTokens = true,
                Sampling = new SamplingOptions { Temperature = 0.5f, TopK = 40, TopP = 0.5f, Seed = 7 },
            },
        }),
        "0A2D0801120174" + "1A03746F6B" + "22016E" + "2A080A0601AC02FFFF02" // prompt: packed varints
            + "320E" + "0D0000003F" + "1028" + "1D0000003F" + "3807" + "3840" + "4002" + "4801");

    [Fact]
    public void Draft_WithoutAssumption_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new Draft(3, 120, [5, 700, 9000, 49000])),
        "120E" + "0803" + "1078" + "1A08" + "05" + "BC05" + "A846" + "E8FE02");

    [Fact]
    public void Draft_WithAssumption_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new Draft(4, 125, [6], new(3, 4, 17))),
        "120F" + "0804" + "107D" + "1A0106" + "2206" + "0803" + "1004" + "1811");

    [Fact]
    public void Draft_WithDraftProbs_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new Draft(3, 120, [5, 700])
        {
            DraftProbs = [SparseDistribution.Create([0, 5, 49151], [96, 3000, 1000]), SparseDistribution.Certain(700)],
        }),
        "1223" + "0803" + "1078" + "1A03" + "05" + "BC05"
            + "2A0E" + "0A05" + "00" + "05" + "FAFF02" + "1205" + "60" + "B817" + "E807"
            + "2A08" + "0A02" + "BC05" + "1202" + "8020");

    [Fact]
    public void Open_WithRejection_HasTheseBytes() => AssertBytes(
        OpenMapping.ToMessage(new Opening
        {
            TokenizerFingerprint = "",
            ProtocolVersion = ProtocolConstants.RejectionVersion,
            Request = new GenerationRequest
            {
                PromptTokens = [1],
                MaxTokens = 0,
                Sampling = new SamplingOptions { Temperature = 0.5f, Acceptance = AcceptanceRule.Rejection },
            },
        }),
        "0A12" + "0802" + "2A030A0101" + "3207" + "0D0000003F" + "4001" + "4002");

    [Fact]
    public void Stream_HasTheseBytes() => AssertBytes(RoundMapping.ToStreamMessage(300), "2A03" + "08AC02");

    [Fact]
    public void Offer_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage([new Draft(3, 120, [5, 700]), new Draft(3, 120, [])], 4),
        "3213" + "0A09" + "0803" + "1078" + "1A03" + "05" + "BC05" + "0A04" + "0803" + "1078" + "1004");

    [Fact]
    public void KeepAliveAndCancel_HaveTheseBytes()
    {
        AssertBytes(new EdgeMessage { KeepAlive = new KeepAlive() }, "1A00");
        AssertBytes(new EdgeMessage { Cancel = new Cancel() }, "2200");
        AssertBytes(new CloudMessage { KeepAlive = new KeepAlive() }, "3200");
    }

    [Fact]
    public void Accepted_HasTheseBytes() => AssertBytes(
        new CloudMessage
        {
            Accepted = new Accepted
            {
                Description = DescriptionMapping.ToMessage(new TargetDescription("t", "tok", "n", 1, 8192, 16)),
                ResumeToken = ByteString.CopyFrom(1, 2),
                KeepAliveSeconds = 20,
            },
        },
        "0A1A" + "0A12" + "0801" + "120174" + "1A03746F6B" + "22016E" + "288040" + "3010" + "12020102" + "1814");

    [Fact]
    public void Announcement_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new Forerun.Core.Decoding.Announcement(3, 12, 2, 300, 0.5f)),
        "120E" + "0803" + "100C" + "1802" + "20AC02" + "2D0000003F");

    [Fact]
    public void Verdict_HasTheseBytes()
    {
        var timings = new ServerTimings(TimeSpan.FromMicroseconds(5), TimeSpan.FromMicroseconds(20000));
        AssertBytes(
            RoundMapping.ToMessage(new Forerun.Core.Decoding.Verdict(3, 2, 300, timings)),
            "1A0D" + "0803" + "1002" + "18AC02" + "2005" + "28A09C01");
        AssertBytes(
            RoundMapping.ToMessage(new Forerun.Core.Decoding.Verdict(3, 0, 2, default, IsLast: true)),
            "1A06" + "0803" + "1802" + "3001");
    }

    [Fact]
    public void End_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new GenerationEnd(FinishReason.Length, new Forerun.Core.Decoding.Usage
        {
            PromptTokens = 10,
            OutputTokens = 20,
            Rounds = 8,
            TargetPasses = 9,
            DraftedTokens = 32,
            AcceptedTokens = 12,
            Compute = TimeSpan.FromMilliseconds(1),
        })),
        "2213" + "0802" + "120F" + "080A" + "1014" + "1808" + "2009" + "2820" + "300C" + "38E807");

    [Fact]
    public void End_WithQueuedDrafts_HasTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new GenerationEnd(
            FinishReason.Stop, new Forerun.Core.Decoding.Usage { QueuedDrafts = 5, MatchedDrafts = 3 })),
        "2208" + "0801" + "1204" + "4005" + "4803");

    [Theory]
    [InlineData(DecodingMode.Preemptive, "4004")]
    [InlineData(DecodingMode.Pipelined, "4005")]
    public void Open_ModesThatDraftAhead_HaveTheseBytes(DecodingMode mode, string bytes) => Assert.EndsWith(
        "3840" + bytes,
        Convert.ToHexString(OpenMapping.ToMessage(new Opening
        {
            TokenizerFingerprint = "tok",
            Request = new GenerationRequest { PromptTokens = [1], MaxTokens = 64, Mode = mode },
        }).ToByteArray()),
        StringComparison.Ordinal);

    [Fact]
    public void Colocated_AddsTheseBytes()
    {
        AssertBytes(
            OpenMapping.ToMessage(new Opening
            {
                TokenizerFingerprint = "t",
                Request = new GenerationRequest
                {
                    PromptTokens = [1],
                    MaxTokens = 4,
                    Mode = DecodingMode.Colocated,
                    DraftLength = 6,
                },
            }),
            "0A12" + "0801" + "1A0174" + "2A030A0101" + "3200" + "3804" + "4003" + "6006");
        AssertBytes(
            RoundMapping.ToMessage(new Forerun.Core.Decoding.Verdict(3, 2, 300, default)
            {
                AcceptedTokens = [5, 700],
                DraftLength = 4,
            }),
            "1A0E" + "0803" + "1002" + "18AC02" + "3A03" + "05BC05" + "4004");
    }

    [Fact]
    public void Logprobs_AddTheseBytes()
    {
        AssertBytes(
            OpenMapping.ToMessage(new Opening
            {
                TokenizerFingerprint = "t",
                Request = new GenerationRequest { PromptTokens = [1], MaxTokens = 4, TopLogProbabilities = 0 },
            }),
            "0A12" + "0801" + "1A0174" + "2A030A0101" + "3200" + "3804" + "4002" + "6800");
        AssertBytes(
            RoundMapping.ToMessage(new Forerun.Core.Decoding.Verdict(3, 0, 300, default)
            {
                LogProbabilities = [new(-0.5f, [new(300, -0.5f)])],
            }),
            "1A16" + "0803" + "18AC02" + "4A0F" + "0D000000BF" + "1202AC02" + "1A04000000BF");
    }

    [Fact]
    public void End_WithReusedTokens_AddsTheseBytes() => AssertBytes(
        RoundMapping.ToMessage(new GenerationEnd(
            FinishReason.Stop, new Forerun.Core.Decoding.Usage { PromptTokens = 10, ReusedPromptTokens = 9 })),
        "2208" + "0801" + "1204" + "080A" + "5009");

    [Fact]
    public void GoAway_HasTheseBytes() => AssertBytes(
        new CloudMessage { GoAway = new GoAway { AfterRound = 7, GraceMilliseconds = 500, Retry = "b" } },
        "2A08" + "0807" + "10F403" + "1A0162");

    [Fact]
    public void Error_HasTheseBytes() => AssertBytes(
        ErrorTable.ToMessage(new VerificationError(VerificationErrorCode.BadRound, "No.", "1", "2")),
        "3A0D" + "080A" + "12034E6F2E" + "1A0131" + "220132");

    [Fact]
    public void Round_OfFourTokens_IsSmall()
    {
        var up = RoundMapping.ToMessage(new Draft(500, 8000, [49000, 49001, 49002, 49003]));
        var timings = new ServerTimings(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(100));
        var down = RoundMapping.ToMessage(new Forerun.Core.Decoding.Verdict(500, 4, 49000, timings));
        Assert.InRange(up.CalculateSize() + down.CalculateSize(), 1, 60);
    }

    private static void AssertBytes(IMessage message, string hex) =>
        Assert.Equal(hex, Convert.ToHexString(message.ToByteArray()));
}
