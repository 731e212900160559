using Forerun.Core.Errors;

namespace Forerun.UnitTests.Errors;

public class ExceptionsTests
{
    [Fact]
    public void ModelMismatch_DifferentTokenizers_NamesBothAndTheFix() => Assert.Equal(
        "Draft model and target must share one tokenizer: the draft model has 49152 tokens with fingerprint \"a1b2\", "
        + "the target 151936 tokens with fingerprint \"c3d4\". Change the draft model to one made for this target.",
        Assert.Throws<ModelMismatchException>(
            () => ModelMismatchException.Throw(49152, "a1b2", 151936, "c3d4")).Message);

    [Fact]
    public void Protocol_WrongField_NamesFieldRoundExpectedAndGot()
    {
        Assert.Equal(
            "The peer broke the protocol in round 3: field \"tokens\" must be at most 16 tokens, got 40. "
            + "Run the same version of Forerun on both sides.",
            Assert.Throws<ProtocolException>(
                () => ProtocolException.Throw("tokens", 3, "at most 16 tokens", "40")).Message);
        Assert.Equal(
            "The peer broke the protocol before the first round: field \"open\" must be the first message, got a draft. "
            + "Run the same version of Forerun on both sides.",
            Assert.Throws<ProtocolException>(
                () => ProtocolException.Throw("open", 0, "the first message", "a draft")).Message);
    }

    [Fact]
    public void VerifierUnavailable_AllAttemptsFailed_SaysWhatHappensNow()
    {
        var cause = new IOException("refused");
        var stopped = Assert.Throws<VerifierUnavailableException>(() => VerifierUnavailableException.Throw(
            "http://cloud:7070", TimeSpan.FromSeconds(4.25), 3, continuesEdgeOnly: false, cause));
        Assert.Same(cause, stopped.InnerException);
        Assert.Equal(
            "The verifier at \"http://cloud:7070\" must answer, but 3 attempts in 4.3 s failed. Decoding stopped. "
            + "Check the address and that the server is running, then try again.",
            stopped.Message);
        Assert.Equal(
            "The verifier at \"http://cloud:7070\" must answer, but 1 attempt in 0.5 s failed. Decoding continued with "
            + "the draft model alone (edge-only).",
            Assert.Throws<VerifierUnavailableException>(() => VerifierUnavailableException.Throw(
                "http://cloud:7070", TimeSpan.FromSeconds(0.5), 1, continuesEdgeOnly: true)).Message);
    }
}
