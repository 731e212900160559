using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

/// <summary>Drafting ahead with models: the text is the target's own, and forks are given back.</summary>
public class DraftingAheadTests
{
    private static readonly int VocabSize = TinyModels.Target.Config.VocabSize;

    public static TheoryData<DecodingMode, int, ulong> Cases => new(
        from mode in new[] { DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Auto }
        from draftLength in Enumerable.Range(1, 8)
        from seed in new[] { 0UL, 5UL }
        select (mode, draftLength, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_AnyDrafterAndAnnouncements_WritesThePlainLoopsText(
        DecodingMode mode, int draftLength, ulong seed)
    {
        var request = Request(seed) with { Mode = mode };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        using var model = new ModelDrafter(TinyModels.Draft);
        IDrafter[] drafters =
        [
            model,
            new NgramDrafter(),
            new RandomDrafter(draftLength, VocabSize),
            new OracleDrafter(expected, 0, VocabSize),
        ];
        Func<Random, Verdict, Announcement?>[] exits =
        [
            (_, _) => null,
            AdversarialAnnouncements.Right,
            AdversarialAnnouncements.Wrong,
            AdversarialAnnouncements.Any,
        ];
        foreach (var (drafter, announce) in from drafter in drafters from exit in exits select (drafter, exit))
        {
            var verifier = new AnnouncingVerifier(new LocalVerifier(scheduler), draftLength, announce);
            var generation = await new EdgeDecoder(verifier, drafter, new() { DraftLength = draftLength })
                .CompleteAsync(request, Deadline.Token);
            Assert.Equal(expected, generation.Tokens);
            Assert.Equal(expected.Length, generation.End.Usage.OutputTokens);
            Assert.InRange(generation.End.Usage.MatchedDrafts, 0, generation.End.Usage.QueuedDrafts);
        }

        Assert.Equal(0, scheduler.SessionCount);
    }

    [Theory]
    [InlineData(DecodingMode.Preemptive)]
    [InlineData(DecodingMode.Pipelined)]
    public async Task Generate_RandomRounds_GiveEveryForkBack(DecodingMode mode)
    {
        using var model = TinyModels.Load("smollm-gqa-tied-q4_0");
        using var drafter = new ModelDrafter(model);
        var pageBytes = model.KvBytesPerPosition * 64;
        var sum = PreDraftStatistics.None;
        for (var seed = 0; sum.Rounds < 400; seed++)
        {
            var request = Request((ulong)seed) with { Mode = mode, MaxTokens = 120, IgnoreEndTokens = true };
            var text = TinyModels.PlainLoop(TinyModels.Target, request);
            var target = new FakeTarget(text, VocabSize, seed) { Announce = AdversarialAnnouncements.Any };
            var decoder = new EdgeDecoder(target, drafter, new() { DraftLength = 1 + (seed % 8) });
            var position = request.PromptTokens.Length;
            await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
            {
                // Between rounds there are the trunk and what is drafted behind it, which has no more than two pages of its own for each
                // draft; pages are kept when a branch shortens.
                position += round.Tokens.Length;
                var pages = ((position + 16) / 64) + 1 + (2 * PreDraftOptions.Default.MaxBranches);
                Assert.InRange(model.KvBytesInUse, pageBytes, pages * pageBytes);
                sum += round.PreDrafts;
            }

            Assert.Equal(0, model.KvBytesInUse);
        }

        Assert.True(sum.Hits > sum.Rounds / 4, $"{sum}");
    }

    [Fact]
    public async Task Generate_LeavingTheLoop_GivesEveryForkBack()
    {
        using var model = TinyModels.Load("smollm-gqa-tied-q4_0");
        using var drafter = new ModelDrafter(model);
        var request = Request(5) with { Mode = DecodingMode.Pipelined };
        var text = TinyModels.PlainLoop(TinyModels.Target, request);
        var decoder = new EdgeDecoder(new FakeTarget(text, VocabSize, 1), drafter);
        await foreach (var _ in decoder.GenerateAsync(request, Deadline.Token))
        {
            break;
        }

        Assert.Equal(0, model.KvBytesInUse);
    }

    private static GenerationRequest Request(ulong seed) => new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 40,
        Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed),
    };
}
