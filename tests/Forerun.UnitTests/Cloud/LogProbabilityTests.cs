using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.EdgeOnly;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Edge;

namespace Forerun.UnitTests.Cloud;

/// <summary>Log probabilities are the target's own, whoever drafts, and cost nothing where nobody asks.</summary>
public class LogProbabilityTests
{
    private const int Top = 5;

    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 24,
        IgnoreEndTokens = true,
        TopLogProbabilities = Top,
    };

    public static TheoryData<DecodingMode, ulong> Cases => new(
        from mode in Enum.GetValues<DecodingMode>()
        where mode != DecodingMode.EdgeOnly
        from seed in new[] { 0UL, 5UL }
        select (mode, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Generate_AskedFor_AreThoseOfAPlainLoop(DecodingMode mode, ulong seed)
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target, draft: TinyModels.Draft);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var request = Request with { Mode = mode, Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed) };
        List<int> tokens = [];
        List<LogProbabilities> actual = [];
        await foreach (var round in new EdgeDecoder(new LocalVerifier(scheduler), drafter).GenerateAsync(request, Deadline.Token))
        {
            tokens.AddRange(round.Tokens);
            actual.AddRange(round.LogProbabilities);
        }

        var expected = PlainLogits.LogProbabilities(TinyModels.Target, TinyModels.Prompt, tokens, Top);
        Assert.Equal(24, actual.Count);
        Assert.All(expected.Zip(actual), pair => PlainLogits.AssertEqual(pair.First, pair.Second));
    }

    [Fact]
    public async Task Generate_NotAskedFor_ThereAreNone()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var request = Request with { Mode = DecodingMode.Autoregressive, TopLogProbabilities = null };
        await foreach (var round in new EdgeDecoder(new LocalVerifier(scheduler)).GenerateAsync(request, Deadline.Token))
        {
            Assert.Empty(round.LogProbabilities);
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(21)]
    public async Task Generate_TooMany_AreRefused(int top)
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var error = await Assert.ThrowsAsync<ProtocolException>(() => new EdgeDecoder(new LocalVerifier(scheduler)).CompleteAsync(
            Request with { Mode = DecodingMode.Autoregressive, TopLogProbabilities = top }, Deadline.Token));
        Assert.Equal(
            (VerificationErrorCode.BadSampling, $"The likeliest tokens asked for are out of range: expected 0 to 20, got {top}."),
            (error.Error.Code, error.Error.Text));
    }

    [Fact]
    public async Task Generate_ServerWithoutThem_IsAProtocolError()
    {
        var verifier = new ScriptedVerifier(new Verdict(1, 0, 5, default));
        var error = await Assert.ThrowsAsync<ProtocolException>(() => new EdgeDecoder(verifier).CompleteAsync(
            Request with { Mode = DecodingMode.Autoregressive }, Deadline.Token));
        Assert.Equal(
            "The server's verdict of round 1 lacks log probabilities. Ask for none, or update the server. Expected 1, got 0.",
            error.Message);
    }

    [Fact]
    public async Task EdgeOnly_AskedFor_AreRefused()
    {
        var error = await Assert.ThrowsAsync<ProtocolException>(() => new EdgeDecoder(new EdgeOnlyVerifier(TinyModels.Draft))
            .CompleteAsync(Request with { Mode = DecodingMode.EdgeOnly }, Deadline.Token));
        Assert.Equal(
            "The draft model alone gives no log probabilities: they would not be the target's. Ask for none.", error.Error.Text);
    }
}
