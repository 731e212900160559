using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

/// <summary>Whatever drafts, and however much: the text is the target's own.</summary>
public class LosslessTests
{
    private static readonly int VocabSize = TinyModels.Target.Config.VocabSize;

    public static TheoryData<int, ulong> Cases => new(
        from draftLength in Enumerable.Range(1, 8) from seed in new[] { 0UL, 5UL } select (draftLength, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_AnyDrafter_WritesThePlainLoopsText(int draftLength, ulong seed)
    {
        var request = new GenerationRequest
        {
            PromptTokens = TinyModels.Prompt,
            MaxTokens = 40,
            Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed),
        };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        using var model = new ModelDrafter(TinyModels.Draft);
        IDrafter[] drafters =
        [
            model,
            new NgramDrafter(),
            new RandomDrafter(draftLength, VocabSize),
            new OracleDrafter(expected, 0, VocabSize),
            new OracleDrafter(expected, 1, VocabSize),
        ];
        foreach (var drafter in drafters)
        {
            var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter, new() { DraftLength = draftLength });
            var generation = await decoder.CompleteAsync(request, Deadline.Token);
            Assert.Equal(expected, generation.Tokens);
            Assert.Equal(expected.Length, generation.End.Usage.OutputTokens);
        }
    }

    [Fact]
    public async Task Complete_OracleDrafter_IsAcceptedWhole()
    {
        var request = new GenerationRequest
        {
            PromptTokens = TinyModels.Prompt,
            MaxTokens = 25,
            IgnoreEndTokens = true,
        };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        var usage = (await CompleteAsync(request, new OracleDrafter(expected, 0, VocabSize))).End.Usage;
        Assert.Equal((5, 20, 20), (usage.Rounds, usage.DraftedTokens, usage.AcceptedTokens));

        // The prompt takes a pass of its own where it is computed before the first draft comes.
        Assert.InRange(usage.TargetPasses, 5, 6);
        Assert.Equal(1.0, usage.AcceptanceRate);
        usage = (await CompleteAsync(request, new OracleDrafter(expected, 1, VocabSize))).End.Usage;
        Assert.Equal((25, 0), (usage.Rounds, usage.AcceptedTokens));
    }

    [Fact]
    public async Task Complete_EndTokenInsideTheDraft_IsTheNextToken()
    {
        var end = TinyModels.Target.Tokenizer.EndTokens;
        var request = new GenerationRequest { PromptTokens = TinyModels.Prompt, MaxTokens = 200 };
        for (var seed = 1UL; ; seed++)
        {
            request = request with { Sampling = new() { Temperature = 100f, Seed = seed } };
            var expected = TinyModels.PlainLoop(TinyModels.Target, request);
            if (!end.Contains(expected[^1]) || expected.Length % 5 == 0)
            {
                continue;
            }

            // The oracle goes on behind the end token: those tokens are never accepted.
            var generation = await CompleteAsync(request, new OracleDrafter(expected, 0, VocabSize));
            Assert.Equal(expected, generation.Tokens);
            Assert.Equal(FinishReason.Stop, generation.End.Reason);
            return;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(6)]
    public async Task Complete_ContextFullInsideTheDraft_EndsThere(int room)
    {
        var target = TinyModels.ShortTarget;
        ImmutableArray<int> prompt = [.. Enumerable.Range(20, TinyModels.ShortContext - room)];
        var request = new GenerationRequest { PromptTokens = prompt, MaxTokens = 0, IgnoreEndTokens = true };
        var expected = TinyModels.PlainLoop(target, request);
        var generation = await CompleteAsync(request, new OracleDrafter(expected, 0, VocabSize), target);
        Assert.Equal(expected, generation.Tokens);
        Assert.Equal((FinishReason.ContextFull, room), (generation.End.Reason, generation.Tokens.Length));
    }

    [Fact]
    public void LocalVerifier_OtherTokenizer_IsRefused()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        Assert.Throws<ModelMismatchException>(() => new LocalVerifier(scheduler, "other"));
        Assert.NotNull(new LocalVerifier(scheduler, TinyModels.Draft.Tokenizer.Fingerprint));
    }

    private static async Task<DecodedGeneration> CompleteAsync(
        GenerationRequest request, IDrafter drafter, LanguageModel? target = null)
    {
        using var scheduler = new VerificationScheduler(target ?? TinyModels.Target);
        var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter, new() { EndsDraftsEarly = false });
        return await decoder.CompleteAsync(request, Deadline.Token);
    }
}
