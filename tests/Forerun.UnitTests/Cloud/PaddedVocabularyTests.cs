using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.UnitTests.Cloud;

/// <summary>Rows that pad embedding and head are never drafted, sampled or taken in; models that differ in nothing else
/// work together.</summary>
public class PaddedVocabularyTests
{
    private const string TargetFolder = "smollm-gqa-tied-q8_0";
    private const string DraftFolder = "smollm-gqa-tied-q4_0";

    private static readonly GenerationRequest Request = new() { PromptTokens = TinyModels.Prompt, MaxTokens = 32 };

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public async Task Complete_PaddedPair_WritesTheTextOfTheTargetWithoutPadding(ulong seed)
    {
        var request = Request with { Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed) };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        using var target = PaddedModels.Load(TargetFolder, 640, tokens: null);
        using var draft = PaddedModels.Load(DraftFolder, 100, TokenType.Unused);
        using var scheduler = new VerificationScheduler(target);
        using var drafter = new ModelDrafter(draft);
        var decoder = new EdgeDecoder(new LocalVerifier(scheduler, draft.Tokenizer.Fingerprint), drafter);
        var drafted = 0;
        foreach (var mode in new[] { DecodingMode.Autoregressive, DecodingMode.Speculative })
        {
            var generation = await decoder.CompleteAsync(request with { Mode = mode }, Deadline.Token);
            Assert.Equal(expected, generation.Tokens);
            drafted += generation.End.Usage.DraftedTokens;
        }

        Assert.True(drafted > 0);
    }

    /// <summary>The test's own strength: where the rows are real tokens, they win.</summary>
    [Fact]
    public void PlainLoop_RowsAreRealTokens_AreSampled()
    {
        using var target = PaddedModels.Load(TargetFolder, 640, TokenType.Normal);
        Assert.Contains(TinyModels.PlainLoop(target, Request), token => token >= 640);
    }

    [Fact]
    public void Load_AnyPadding_HasTheTokenizersVocabularyAndFingerprint()
    {
        using var plain = TinyModels.Load(TargetFolder);
        using var padded = PaddedModels.Load(TargetFolder, 5, tokens: null);
        using var unused = PaddedModels.Load(TargetFolder, 40, TokenType.Unused);
        using var longer = PaddedModels.Load(TargetFolder, 5, TokenType.Normal);
        Assert.All([plain, padded, unused], model => Assert.Equal(
            (640, 640, 640, plain.Tokenizer.Fingerprint),
            (model.Config.VocabSize, model.Config.HeadRows, model.Tokenizer.VocabSize, model.Tokenizer.Fingerprint)));
        Assert.Equal((645, 680), (padded.Config.EmbeddingRows, unused.Config.EmbeddingRows));
        Assert.Equal(645, longer.Config.VocabSize);
        Assert.NotEqual(plain.Tokenizer.Fingerprint, longer.Tokenizer.Fingerprint);
    }

    [Fact]
    public void Check_IdOfAPaddingRow_IsRefused()
    {
        using var target = PaddedModels.Load(TargetFolder, 40, TokenType.Unused);
        var exception = Assert.Throws<ProtocolException>(
            () => RequestCheck.Check(Request with { PromptTokens = [1, 640] }, target));
        Assert.Equal(
            "Token 1 of the prompt is outside the target's vocabulary. Use the target's tokenizer. "
            + "Expected 0 to 639, got 640.",
            exception.Message);
    }
}
