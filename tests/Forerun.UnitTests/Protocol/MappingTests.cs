using CsCheck;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Draft = Forerun.Core.Decoding.Draft;

namespace Forerun.UnitTests.Protocol;

/// <summary>Record → message → bytes → message → record is the identity; hostile numbers are refused.</summary>
public class MappingTests
{
    private static readonly Gen<int> Natural = Gen.OneOf(Gen.Int[0, 300], Gen.Int[0, int.MaxValue]);
    private static readonly Gen<float> Unit = Gen.Float[0f, 1f];
    private static readonly Gen<(int, int, int)> Assumption = Gen.Select(Natural, Natural, Natural);

    private static readonly Gen<SamplingOptions> Options =
        Gen.Select(Gen.Float[0f, 100f], Natural, Unit, Unit, Unit, Natural, Gen.ULong, Gen.Enum<AcceptanceRule>()).Select(
            (temperature, topK, topP, minP, penalty, window, seed, rule) => new SamplingOptions
            {
                Temperature = temperature,
                TopK = topK,
                TopP = topP,
                MinP = minP,
                RepetitionPenalty = penalty,
                RepetitionWindow = window,
                Seed = seed,
                Acceptance = rule,
            });

    [Fact]
    public void Draft_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural, Natural, Natural.Array[0, 16], Assumption.Nullable()).Sample(
            (round, position, tokens, assumption) =>
            {
                var draft = new Draft(round, position, [.. tokens], assumption is var (r, k, t) ? new(r, k, t) : null);
                var message = EdgeMessage.Parser.ParseFrom(RoundMapping.ToMessage(draft).ToByteArray());
                var back = RoundMapping.ToDraft(message.Draft);
                Assert.Equal(draft.Tokens, back.Tokens);
                Assert.Equal(draft, back with { Tokens = draft.Tokens });
            },
            iter: 500);

    [Fact]
    public void Offer_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural, Natural, Natural.Array[0, 16].Array[0, 4]).Sample(
            (position, length, tokens) =>
            {
                Draft[] drafts = [.. tokens.Select(one => new Draft(2, position, [.. one]))];
                var message = EdgeMessage.Parser.ParseFrom(RoundMapping.ToMessage(drafts, length).ToByteArray());
                var (back, draftLength) = RoundMapping.ToOffer(message.Offer);
                Assert.Equal(length, draftLength);
                Assert.Equal(tokens, back.Select(draft => draft.Tokens.ToArray()));
                Assert.All(back, draft => Assert.Equal((2, position), (draft.Round, draft.BasePosition)));
            },
            iter: 200);

    [Fact]
    public void Verdict_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural, Natural, Natural, Gen.UInt, Gen.UInt, Gen.Bool).Sample(
            (round, k, t, queue, compute, last) => AssertSame(new Forerun.Core.Decoding.Verdict(
                round,
                k,
                t,
                new(TimeSpan.FromMicroseconds(queue), TimeSpan.FromMicroseconds(compute)),
                last)),
            iter: 500);

    [Fact]
    public void Verdict_WithTokens_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural.Array[1, 16], Natural).Sample(
            (tokens, length) =>
            {
                var verdict = new Forerun.Core.Decoding.Verdict(1, tokens.Length, 2, default)
                {
                    AcceptedTokens = [.. tokens],
                    DraftLength = length,
                };
                var message = CloudMessage.Parser.ParseFrom(RoundMapping.ToMessage(verdict).ToByteArray());
                var back = Assert.IsType<Forerun.Core.Decoding.Verdict>(RoundMapping.ToEvent(message));
                Assert.Equal(tokens, back.AcceptedTokens);
                Assert.Equal(verdict, back with { AcceptedTokens = verdict.AcceptedTokens });
            },
            iter: 200);

    [Fact]
    public void Verdict_WithLogProbabilities_ThereAndBack_IsTheSame() =>
        Gen.Select(Gen.Float[-50f, 0f], Gen.Select(Natural, Gen.Float[-50f, 0f]).Array[0, LogProbabilities.MaxTop]).Sample(
            (chosen, top) =>
            {
                var verdict = new Forerun.Core.Decoding.Verdict(1, 0, 2, default)
                {
                    LogProbabilities = [new(chosen, [.. top.Select(entry => new TokenLogProbability(entry.Item1, entry.Item2))])],
                };
                var message = CloudMessage.Parser.ParseFrom(RoundMapping.ToMessage(verdict).ToByteArray());
                var back = Assert.IsType<Forerun.Core.Decoding.Verdict>(RoundMapping.ToEvent(message));
                Assert.Equal(chosen, Assert.Single(back.LogProbabilities).Chosen);
                Assert.Equal(verdict.LogProbabilities[0].Top, back.LogProbabilities[0].Top);
            },
            iter: 200);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(21, 21)]
    public void Verdict_LogProbabilitiesThatDoNotFit_AreRefused(int tokens, int numbers)
    {
        var logprobs = new Logprobs();
        logprobs.TopTokens.AddRange(Enumerable.Repeat(1u, tokens));
        logprobs.TopLogprobs.AddRange(Enumerable.Repeat(-1f, numbers));
        var message = new CloudMessage { Verdict = new() { Round = 1, Logprobs = { logprobs } } };
        var error = Assert.Throws<ProtocolException>(() => RoundMapping.ToEvent(message));
        Assert.Equal(
            "The likeliest tokens of a verdict do not fit their log probabilities. Expected as many of both, at most 20, "
            + $"got {tokens} and {numbers}.",
            error.Message);
    }

    [Fact]
    public void Announcement_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural, Natural, Natural, Natural, Unit).Sample(
            (round, layer, k, t, confidence) =>
                AssertSame(new Forerun.Core.Decoding.Announcement(round, layer, k, t, confidence)),
            iter: 500);

    [Fact]
    public void End_ThereAndBack_IsTheSame() =>
        Gen.Select(Gen.Enum<FinishReason>(), Natural, Natural, Natural, Natural, Gen.Long[0, 1L << 50]).Sample(
            (reason, prompt, output, rounds, drafted, microseconds) =>
                AssertSame(new GenerationEnd(reason, new Forerun.Core.Decoding.Usage
                {
                    PromptTokens = prompt,
                    OutputTokens = output,
                    Rounds = rounds,
                    TargetPasses = rounds,
                    DraftedTokens = drafted,
                    AcceptedTokens = drafted / 2,
                    QueuedDrafts = rounds,
                    MatchedDrafts = rounds / 2,
                    ReusedPromptTokens = prompt / 3,
                    Compute = TimeSpan.FromTicks(microseconds * TimeSpan.TicksPerMicrosecond),
                })),
            iter: 500);

    [Fact]
    public void Opening_ThereAndBack_IsTheSame() =>
        Gen.Select(Natural.Array[0, 50], Options, Natural, Gen.Enum<DecodingMode>().Where(mode => mode is not (DecodingMode.Asynchronous or DecodingMode.Auto or DecodingMode.EdgeOnly)), Gen.Bool, Gen.Byte.Array[0, 9])
            .Sample(
                (prompt, options, maxTokens, mode, ignore, resume) =>
                {
                    var opening = new Opening
                    {
                        TokenizerFingerprint = "fingerprint",
                        TargetId = "target",
                        NumericsId = "numerics",
                        ResumeToken = resume,
                        LastSeenRound = resume.Length,
                        Request = new GenerationRequest
                        {
                            PromptTokens = [.. prompt],
                            Sampling = options,
                            MaxTokens = maxTokens,
                            Mode = mode,
                            IgnoreEndTokens = ignore,
                            DraftLength = prompt.Length,
                            TopLogProbabilities = ignore ? resume.Length : null,
                        },
                    };
                    var message = EdgeMessage.Parser.ParseFrom(OpenMapping.ToMessage(opening).ToByteArray());
                    var back = OpenMapping.ToOpening(message.Open);
                    Assert.Equal(opening.Request.PromptTokens, back.Request.PromptTokens);
                    Assert.Equal(resume, back.ResumeToken.ToArray());
                    Assert.Equal(
                        opening,
                        back with
                        {
                            ResumeToken = opening.ResumeToken,
                            Request = back.Request with { PromptTokens = opening.Request.PromptTokens },
                        });
                },
                iter: 500);

    [Fact]
    public void Description_ThereAndBack_IsTheSame()
    {
        var description = new TargetDescription("target", "tokenizer", "numerics", 1, 8192, 16);
        Assert.Equal(description, DescriptionMapping.ToDescription(DescriptionMapping.ToMessage(description)));
    }

    [Fact]
    public void ToOpening_NothingSet_HasTheDefaults()
    {
        var opening = OpenMapping.ToOpening(new Open { Mode = Mode.Speculative });
        Assert.Empty(opening.Request.PromptTokens);
        Assert.Equal(SamplingOptions.Default, opening.Request.Sampling);
    }

    [Fact]
    public void ToOpening_UnknownMode_SaysWhichAreKnown()
    {
        var exception = Assert.Throws<ProtocolException>(() => OpenMapping.ToOpening(new Open { Mode = (Mode)9 }));
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
        Assert.Equal(
            "The server does not know this decoding mode. Choose another mode or update the server. "
            + "Expected autoregressive (1), speculative (2), colocated (3), preemptive (4) or pipelined (5), got 9.",
            exception.Message);
    }

    [Fact]
    public void ToDraft_HugeNumber_IsRefused()
    {
        var message = new Forerun.Protocol.V1.Draft { Round = 1, Tokens = { 1, uint.MaxValue } };
        var exception = Assert.Throws<ProtocolException>(() => RoundMapping.ToDraft(message));
        Assert.Equal(
            "The field 'tokens' is out of range. Expected at most 2147483647, got 4294967295.", exception.Message);
    }

    [Fact]
    public void Parse_FieldsOfANewerVersion_AreIgnored()
    {
        // Field 100 inside a draft, and field 101 beside the oneof, both length-delimited.
        var draft = RoundMapping.ToMessage(new Draft(1, 2, [3]));
        byte[] inner = [.. draft.Draft.ToByteArray(), 0xA2, 0x06, 0x02, 0x01, 0x02];
        byte[] bytes = [0x12, (byte)inner.Length, .. inner, 0xAA, 0x06, 0x01, 0x07];
        var back = RoundMapping.ToDraft(EdgeMessage.Parser.ParseFrom(bytes).Draft);
        Assert.Equal((1, 2, 3), (back.Round, back.BasePosition, Assert.Single(back.Tokens)));
    }

    [Fact]
    public void ToEvent_KindOfANewerVersion_IsNull()
    {
        var message = CloudMessage.Parser.ParseFrom([0x62, 0x01, 0x07]);
        Assert.Null(RoundMapping.ToEvent(message));
    }

    [Fact]
    public void PrefixHash_SameStart_IsTheSame()
    {
        var tokens = Enumerable.Range(0, 200).ToArray();
        Assert.Equal(16, PlacementHeaders.PrefixHash(tokens).Length);
        Assert.Equal(PlacementHeaders.PrefixHash(tokens), PlacementHeaders.PrefixHash(tokens.AsSpan(0, 64)));
        Assert.NotEqual(PlacementHeaders.PrefixHash(tokens), PlacementHeaders.PrefixHash(tokens.AsSpan(0, 63)));
    }

    private static void AssertSame(VerificationEvent verificationEvent)
    {
        var message = CloudMessage.Parser.ParseFrom(RoundMapping.ToMessage(verificationEvent).ToByteArray());
        Assert.Equal(verificationEvent, RoundMapping.ToEvent(message));
    }
}
