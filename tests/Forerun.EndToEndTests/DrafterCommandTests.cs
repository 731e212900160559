using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Gguf;

namespace Forerun.EndToEndTests;

/// <summary>The choice of who drafts, as a user makes it.</summary>
public class DrafterCommandTests
{
    [Fact]
    public async Task Edge_Ngram_NeedsATokenizerOnlyAndWritesTheTargetsText()
    {
        const string prompt = "one two three one two three one two three";
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        var result = await ForerunProgram.RunAsync(
            "edge", prompt, "--raw", "--server", server.Addresses[0].ToString(), "--mode", "speculative", "--drafter", "ngram",
            "--tokenizer", Assets.Tiny("smollm-gqa-tied-f16"), "--max-tokens", "40", "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        var request = new GenerationRequest { PromptTokens = TinyModels.Target.Tokenizer.Encode(prompt), MaxTokens = 40 };
        Assert.Equal(
            TinyModels.PlainLoop(TinyModels.Target, request),
            document.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32()).ToImmutableArray());
        Assert.True(document.GetProperty("draftedTokens").GetInt32() > 0);
    }

    [Fact]
    public async Task Edge_NgramWithAnotherTokenizer_TellsBothFingerprints()
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        using var other = TinyModels.Load("qwen2-bias");
        var result = await ForerunProgram.RunAsync(
            "edge", "x", "--raw", "--server", server.Addresses[0].ToString(), "--drafter", "ngram",
            "--tokenizer", Assets.Tiny("qwen2-bias"));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("different tokenizers", result.Error, StringComparison.Ordinal);
        Assert.Contains(TinyModels.Target.Tokenizer.Fingerprint, result.Error, StringComparison.Ordinal);
        Assert.Contains(other.Tokenizer.Fingerprint, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_Ngram_TextsAreEqual()
    {
        var result = await ForerunProgram.RunAsync(
            "compare", "--drafter", "ngram", "--prompts", Repository.Path("data", "prompts", "gsm8k.jsonl"),
            "--limit", "1", "--max-tokens", "24", "--rtt", "0", "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.True(JsonDocument.Parse(result.Output).RootElement.GetProperty("equal").GetBoolean());
    }

    [Fact]
    public async Task Edge_NgramAndADraftModel_IsAMistake()
    {
        var result = await ForerunProgram.RunAsync(
            "edge", "x", "--server", "http://127.0.0.1:9", "--drafter", "ngram", "--draft-model", "some.gguf");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("leave --draft-model out", result.Error, StringComparison.Ordinal);
    }
}
