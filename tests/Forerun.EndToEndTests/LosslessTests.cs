using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;

namespace Forerun.EndToEndTests;

/// <summary>Over the network, whatever drafts and however much: the text is the target's own.</summary>
public class LosslessTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    public static TheoryData<int, ulong> Cases => new(
        from draftLength in Enumerable.Range(1, 8) from seed in new[] { 0UL, 11UL } select (draftLength, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_AnyDrafter_WritesThePlainLoopsText(int draftLength, ulong seed)
    {
        var request = Request(seed);
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        using var verifier = fixture.Connect();
        using var model = new ModelDrafter(TinyModels.Draft);
        IDrafter[] drafters =
        [
            model,
            new RandomDrafter(draftLength, ServerFixture.VocabSize),
            new OracleDrafter(expected, 0, ServerFixture.VocabSize),
            new OracleDrafter(expected, 1, ServerFixture.VocabSize),
        ];
        DecodingMode[] modes =
        [
            DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Asynchronous, DecodingMode.Auto,
        ];
        foreach (var (drafter, mode) in from drafter in drafters from mode in modes select (drafter, mode))
        {
            Assert.Equal(
                expected,
                await ServerFixture.CompleteAsync(verifier, request with { Mode = mode }, drafter, draftLength));
        }

        var colocated = request with { Mode = DecodingMode.Colocated };
        Assert.Equal(expected, await ServerFixture.CompleteAsync(verifier, colocated, drafter: null, draftLength));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public async Task Complete_Autoregressive_WritesThePlainLoopsText(ulong seed)
    {
        var request = Request(seed) with { Mode = DecodingMode.Autoregressive };
        using var verifier = fixture.Connect();
        Assert.Equal(
            TinyModels.PlainLoop(TinyModels.Target, request),
            await ServerFixture.CompleteAsync(verifier, request, drafter: null));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(11)]
    public async Task Complete_PaddedVocabularies_WriteTheTextOfTheTargetWithoutPadding(ulong seed)
    {
        var request = Request(seed);
        using var target = PaddedModels.Load("smollm-gqa-tied-q8_0", 640, TokenType.Unused);
        using var draft = PaddedModels.Load("smollm-gqa-tied-q4_0", 100, tokens: null);
        await using var server = await ServerFixture.StartAsync(target);
        using var verifier = ServerFixture.Connect(server.Addresses[0], draft.Tokenizer.Fingerprint);
        using var drafter = new ModelDrafter(draft);
        Assert.Equal(
            TinyModels.PlainLoop(TinyModels.Target, request),
            await ServerFixture.CompleteAsync(verifier, request, drafter));
    }

    [Fact]
    public async Task Complete_InProcessAndOverTheNetwork_RoundsAreTheSame()
    {
        var request = Request(11);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        using var remote = fixture.Connect();
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var local = await RoundsAsync(new LocalVerifier(scheduler), drafter, request);
        Assert.Equal(local, await RoundsAsync(remote, drafter, request));
    }

    [Fact]
    public async Task Complete_ManyAtOnce_EachHasItsOwnText()
    {
        using var verifier = fixture.Connect();
        await Task.WhenAll(Enumerable.Range(1, 6).Select(async seed =>
        {
            var request = Request((ulong)seed) with { MaxTokens = 16 + seed };
            using var drafter = new ModelDrafter(TinyModels.Draft);
            var tokens = await ServerFixture.CompleteAsync(verifier, request, drafter, draftLength: seed);
            Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, request), tokens);
        }));
    }

    [Fact]
    public async Task Complete_ManyShortOnesOnOneConnection_NoneDisturbsTheNext()
    {
        using var verifier = fixture.Connect();
        var request = Request(3) with { MaxTokens = 2, IgnoreEndTokens = true };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        var drafter = new OracleDrafter(expected, 0, ServerFixture.VocabSize);
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(expected, await ServerFixture.CompleteAsync(verifier, request, drafter));
        }
    }

    [Theory]
    [InlineData(3, FinishReason.ContextFull)]
    [InlineData(5, FinishReason.ContextFull)]
    [InlineData(20, FinishReason.Length)]
    public async Task Complete_LimitInsideTheDraft_EndsThere(int room, FinishReason reason)
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.ShortTarget);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        var request = new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(20, TinyModels.ShortContext - room)],
            MaxTokens = reason == FinishReason.Length ? room - 1 : 0,
            IgnoreEndTokens = true,
        };
        var expected = TinyModels.PlainLoop(TinyModels.ShortTarget, request);
        var decoder = new EdgeDecoder(verifier, new OracleDrafter(expected, 0, ServerFixture.VocabSize));
        var generation = await decoder.CompleteAsync(request, Deadline.Token);
        Assert.Equal(expected, generation.Tokens);
        Assert.Equal(reason, generation.End.Reason);
    }

    [Fact]
    public async Task Complete_BundledModels_WriteThePlainLoopsText()
    {
        using var target = Load("smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        using var draft = Load("forerun-draft", "forerun-draft.gguf");
        await using var server = await ServerFixture.StartAsync(target);
        using var verifier = ServerFixture.Connect(server.Addresses[0], draft.Tokenizer.Fingerprint);
        using var drafter = new ModelDrafter(draft);
        var request = new GenerationRequest
        {
            PromptTokens = target.Tokenizer.Encode("The capital of France is"),
            MaxTokens = 12,
        };
        foreach (var sampling in new[] { SamplingOptions.Default, TinyModels.Sampled(7) })
        {
            var sampled = request with { Sampling = sampling };
            var tokens = await ServerFixture.CompleteAsync(verifier, sampled, drafter);
            Assert.Equal(TinyModels.PlainLoop(target, sampled), tokens);
        }
    }

    private static LanguageModel Load(string folder, string file) =>
        LanguageModel.Load(Repository.Path("models", folder, file), new() { Threads = 1 });

    private static GenerationRequest Request(ulong seed) => new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 32,
        Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed),
    };

    private static async Task<List<(int, int, int, string)>> RoundsAsync(
        IVerifier verifier, IDrafter drafter, GenerationRequest request)
    {
        List<(int, int, int, string)> rounds = [];

        // Where drafts end early depends on how long things take.
        var decoder = new EdgeDecoder(verifier, drafter, new() { EndsDraftsEarly = false });
        await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
        {
            rounds.Add((round.Round, round.DraftLength, round.AcceptedCount, string.Join(' ', round.Tokens)));
        }

        return rounds;
    }
}
