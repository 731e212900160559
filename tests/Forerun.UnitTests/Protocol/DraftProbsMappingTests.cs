using CsCheck;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Draft = Forerun.Core.Decoding.Draft;

namespace Forerun.UnitTests.Protocol;

/// <summary>What draft tokens were drawn from, over the wire: small, the same on the other side, and refused when hostile.</summary>
public class DraftProbsMappingTests
{
    [Fact]
    public void Draft_ThereAndBack_IsTheSame() => Gen.Select(Distribution, Gen.Int[0, 100]).Array[1, 16].Sample(
        parts =>
        {
            var draft = new Draft(1, 2, [.. parts.Select(part => part.Item1.Tokens[part.Item2 % part.Item1.Tokens.Length])])
            {
                DraftProbs = [.. parts.Select(part => part.Item1)],
            };
            var message = EdgeMessage.Parser.ParseFrom(RoundMapping.ToMessage(draft).ToByteArray());
            var back = RoundMapping.ToDraft(message.Draft);
            Assert.Equal(draft.Tokens, back.Tokens);
            Assert.Equal(draft.DraftProbs.Select(Text), back.DraftProbs.Select(Text));
        },
        iter: 200);

    /// <summary>Whatever comes is refused with the typed error, or is a distribution.</summary>
    [Fact]
    public void ToDraft_Hostile_IsRefusedOrRight() => Gen.Select(Hostile, Hostile).Array[0, 4].Sample(
        parts =>
        {
            var message = new Forerun.Protocol.V1.Draft { Round = 1, Tokens = { 1, 2 } };
            message.DraftProbs.AddRange(parts.Select(part => new DraftProbs { TokenSteps = { part.Item1 }, Weights = { part.Item2 } }));
            try
            {
                var draft = RoundMapping.ToDraft(EdgeMessage.Parser.ParseFrom(new EdgeMessage { Draft = message }.ToByteArray()).Draft);
                Assert.True(draft.DraftProbs.Length is 0 or 2);
                Assert.All(draft.DraftProbs, draftProbs => Assert.Equal(SparseDistribution.Total, draftProbs.Weights.Sum()));
            }
            catch (ProtocolException exception)
            {
                Assert.Equal(VerificationErrorCode.BadDraftProbs, exception.Error.Code);
            }
        },
        iter: 2000);

    [Fact]
    public void ToDraft_RandomBytes_NeverBreaks() => Gen.Byte.Array[0, 60].Sample(
        bytes =>
        {
            // A draft with one token, and garbage as its draft probabilities.
            byte[] draft = [0x1A, 0x01, 0x05, 0x2A, (byte)bytes.Length, .. bytes];
            try
            {
                RoundMapping.ToDraft(Forerun.Protocol.V1.Draft.Parser.ParseFrom(draft));
            }
            catch (Exception exception) when (exception is InvalidProtocolBufferException or ProtocolException)
            {
            }
        },
        iter: 3000);

    [Fact]
    public void ToDraft_Malformed_TellsWhatIsWrong()
    {
        AssertRefused(
            "The draft of round 7 has a wrong number of draft probabilities: one distribution per token, or none. "
            + "Expected 1 or none, got 2.",
            new DraftProbs { TokenSteps = { 1 }, Weights = { 4096 } },
            new DraftProbs { TokenSteps = { 1 }, Weights = { 4096 } });
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. It must have 1 to 32 tokens and as many weights.",
            new DraftProbs());
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. It must have 1 to 32 tokens and as many weights.",
            new DraftProbs { TokenSteps = { Enumerable.Repeat(1u, 100_000) }, Weights = { 4096 } });
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. Its token ids must ascend.",
            new DraftProbs { TokenSteps = { 5, 0 }, Weights = { 4095, 1 } });
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. Its token ids must ascend.",
            new DraftProbs { TokenSteps = { uint.MaxValue, uint.MaxValue }, Weights = { 4095, 1 } });
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. Its weights must be positive.",
            new DraftProbs { TokenSteps = { 5, 1 }, Weights = { 4096, 0 } });
        AssertRefused(
            "The draft probabilities of token 0 in round 7 are malformed. Its weights must add up to 4096, not to 4294967294.",
            new DraftProbs { TokenSteps = { 5, 1 }, Weights = { uint.MaxValue, uint.MaxValue } });
    }

    [Fact]
    public void ToOpening_UnknownRule_SaysWhichAreKnown()
    {
        var open = new Open { Mode = Mode.Speculative, Sampling = new() { Acceptance = (Forerun.Protocol.V1.Acceptance)7 } };
        var exception = Assert.Throws<ProtocolException>(() => OpenMapping.ToOpening(open));
        Assert.Equal(VerificationErrorCode.BadSampling, exception.Error.Code);
        Assert.Equal(
            "The server does not know this rule of acceptance. Choose another one or update the server. "
            + "Expected shared noise (0) or rejection (1), got 7.",
            exception.Message);
    }

    [Fact]
    public void Draft_FourTokensOfManyChoices_IsAFewHundredBytes()
    {
        var widest = SparseDistribution.Create(
            [.. Enumerable.Range(1, 32).Select(i => i * 1500)], [.. Enumerable.Repeat(128, 32)]);
        var draft = new Draft(500, 8000, [1500, 3000, 4500, 6000]) { DraftProbs = [widest, widest, widest, widest] };
        Assert.InRange(RoundMapping.ToMessage(draft).CalculateSize(), 100, 560);
    }

    private static Gen<SparseDistribution> Distribution => Gen.Select(Gen.Int[1, 4000].Array[1, 32], Gen.Int[0, 1000]).Select(
        (steps, more) =>
        {
            int[] tokens = [.. steps.Select((_, i) => steps[..(i + 1)].Sum() - 1)];
            return SparseDistribution.Quantise(tokens, [.. steps.Select((step, i) => i == 0 ? 1 + more : step % 7)]);
        });

    private static Gen<uint[]> Hostile => Gen.OneOf(Gen.UInt[0, 4096], Gen.UInt, Gen.Const(4096u)).Array[0, 40];

    private static string Text(SparseDistribution draftProbs) =>
        $"{string.Join(' ', draftProbs.Tokens)} / {string.Join(' ', draftProbs.Weights)}";

    private static void AssertRefused(string message, params DraftProbs[] draftProbs)
    {
        var draft = new Forerun.Protocol.V1.Draft { Round = 7, Tokens = { 5 }, DraftProbs = { draftProbs } };
        var exception = Assert.Throws<ProtocolException>(() => RoundMapping.ToDraft(draft));
        Assert.Equal((VerificationErrorCode.BadDraftProbs, message), (exception.Error.Code, exception.Message));
    }
}
