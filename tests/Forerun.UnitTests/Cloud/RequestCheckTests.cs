using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;

namespace Forerun.UnitTests.Cloud;

public class RequestCheckTests
{
    private static readonly TargetDescription Description = new("target@1", "tok", "n", 1, 64, 16);
    private static readonly GenerationRequest Request = new() { PromptTokens = TinyModels.Prompt };
    private static readonly Opening Good = new() { Request = Request, TokenizerFingerprint = "tok" };

    [Fact]
    public void CheckOpening_RightOrUnspecified_Passes()
    {
        RequestCheck.CheckOpening(Good, Description);
        RequestCheck.CheckOpening(Good with { TargetId = "target@1", NumericsId = "n" }, Description);
    }

    [Fact]
    public void CheckOpening_Wrong_TellsBothSides()
    {
        AssertRefused<ProtocolException>(
            Good with { ProtocolVersion = 2 },
            "Edge and server speak different protocol versions. Update the older of the two. "
            + "Expected version 1, got version 2.");
        Assert.Equal(
            "Edge and server speak different protocol versions. Update the older of the two. Expected version 1 to 2, got version 3.",
            Assert.Throws<ProtocolException>(() => RequestCheck.CheckOpening(
                Good with { ProtocolVersion = 3 }, Description with { ProtocolVersion = 2 })).Message);
        RequestCheck.CheckOpening(Good, Description with { ProtocolVersion = 2 });
        RequestCheck.CheckOpening(Good with { ProtocolVersion = 2 }, Description with { ProtocolVersion = 2 });
        AssertRefused<ModelMismatchException>(
            Good with { TokenizerFingerprint = "other" },
            "Edge and target have different tokenizers, so their token ids cannot be compared. Use a draft model made "
            + "for 'target@1', or a server whose target fits the draft model. Expected 'tok', got 'other'.");
        AssertRefused<ModelMismatchException>(
            Good with { TargetId = "target@2" },
            "The server runs another target than the edge insists on. Choose another server or target. "
            + "Expected 'target@2', got 'target@1'.");
        AssertRefused<ModelMismatchException>(
            Good with { NumericsId = "m" },
            "The server computes with other numerics than the edge insists on. Choose another server. "
            + "Expected 'm', got 'n'.");
        AssertRefused<VerifierUnavailableException>(
            Good with { ResumeToken = new byte[] { 1 } },
            "The session to resume is not on this server. Open a new one with the whole history as its prompt.");
    }

    [Theory]
    [InlineData(VerificationErrorCode.PromptEmpty)]
    [InlineData(VerificationErrorCode.PromptTooLong)]
    [InlineData(VerificationErrorCode.BadToken)]
    [InlineData(VerificationErrorCode.BadSampling)]
    public void Check_BadRequest_HasItsCode(VerificationErrorCode code)
    {
        var target = TinyModels.Target;
        var request = code switch
        {
            VerificationErrorCode.PromptEmpty => Request with { PromptTokens = [] },
            VerificationErrorCode.PromptTooLong =>
                Request with { PromptTokens = [.. Enumerable.Repeat(1, target.Config.MaxPositionEmbeddings)] },
            VerificationErrorCode.BadToken => Request with { PromptTokens = [1, target.Config.VocabSize] },
            _ => Request with { Sampling = new SamplingOptions { TopP = float.NaN } },
        };
        var exception = Assert.Throws<ProtocolException>(() => RequestCheck.Check(request, target));
        Assert.Equal(code, exception.Error.Code);
    }

    private static void AssertRefused<T>(Opening opening, string message)
        where T : Exception =>
        Assert.Equal(message, Assert.Throws<T>(() => RequestCheck.CheckOpening(opening, Description)).Message);
}
