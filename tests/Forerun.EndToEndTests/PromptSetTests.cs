using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Edge;

namespace Forerun.EndToEndTests;

/// <summary>The bundled models over the bundled prompt sets: whatever drafts, however long, here or over the network,
/// the text is the target's own.</summary>
[Trait("Category", "Full")]
public class PromptSetTests
{
    private const int PromptsPerSet = 36;
    private const int MaxTokens = 32;

    [Theory]
    [InlineData("mt_bench")]
    [InlineData("humaneval")]
    [InlineData("gsm8k")]
    public async Task EveryDrafterAndLength_OverManyPrompts_GivesTheTargetsText(string set)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var target = LanguageModel.Load(
            Repository.Path("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"), new() { Threads = 1 });
        using var draft = LanguageModel.Load(
            Repository.Path("models", "forerun-draft", "forerun-draft.gguf"), new() { Threads = 1 });
        using var scheduler = new VerificationScheduler(target);
        await using var server = await ForerunServer.StartAsync(
            target, new ForerunServerOptions { Urls = ["http://127.0.0.1:0"], DraftModel = draft }, cancellationToken);
        using var remote = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = server.Addresses[0],
            TokenizerFingerprint = draft.Tokenizer.Fingerprint,
        });
        var local = new LocalVerifier(scheduler, draft.Tokenizer.Fingerprint);
        using var drafter = new ModelDrafter(draft);
        var prompts = Prompts(set);
        for (var i = 0; i < prompts.Length; i++)
        {
            var request = Request(target, prompts[i], i);
            var expected = (await new EdgeDecoder(local).CompleteAsync(
                request with { Mode = DecodingMode.Autoregressive }, cancellationToken)).Tokens;
            var options = new EdgeDecoderOptions { DraftLength = 1 + (i % 8) };
            var random = new RandomDrafter(seed: i, target.Config.VocabSize);
            foreach (var (mode, decoder) in new[]
            {
                (DecodingMode.Autoregressive, new EdgeDecoder(remote)),
                (DecodingMode.Colocated, new EdgeDecoder(remote, options: options)),
                (DecodingMode.Speculative, new EdgeDecoder(local, drafter, options)),
                (DecodingMode.Speculative, new EdgeDecoder(remote, drafter, options)),
                (DecodingMode.Speculative, new EdgeDecoder(remote, random, options)),
            })
            {
                var actual = await decoder.CompleteAsync(request with { Mode = mode }, cancellationToken);
                Assert.Equal(expected, actual.Tokens);
            }
        }

        Assert.Equal(0, scheduler.SessionCount);
    }

    private static GenerationRequest Request(LanguageModel target, string prompt, int index) => new()
    {
        PromptTokens = target.ChatTemplate!.Encode(
            target.Tokenizer, [new ChatMessage("user", prompt)], addGenerationPrompt: true),
        MaxTokens = MaxTokens,
        Sampling = index % 2 == 0
            ? SamplingOptions.Default
            : new SamplingOptions { Temperature = 0.8f, TopP = 0.95f, Seed = (ulong)index },
    };

    private static ImmutableArray<string> Prompts(string set) =>
    [
        .. File.ReadLines(Repository.Path("data", "prompts", set + ".jsonl"))
            .Take(PromptsPerSet)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("turns")[0].GetString()!),
    ];
}
