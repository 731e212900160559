using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Exits;
using Forerun.UnitTests.Sampling;

namespace Forerun.UnitTests.Edge;

/// <summary>Rejection sampling through the whole loop. A text depends on what is drafted and where drafts begin, and on nothing
/// else: the modes with one draft length write the same, whatever is announced or drafted ahead.</summary>
public class RejectionModesTests
{
    private static readonly int VocabSize = TinyModels.Target.Config.VocabSize;

    public static TheoryData<int, ulong> Cases => new(
        from draftLength in new[] { 1, 2, 4, 7 } from seed in new[] { 5UL, 6UL } select (draftLength, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_SameDraftsInAnyMode_WritesTheSameText(int draftLength, ulong seed)
    {
        var request = Request(seed);
        using var exits = new ExitHeads(RandomExits.File(TinyModels.Target, 1, 3), TinyModels.Target);
        using var scheduler = new VerificationScheduler(
            TinyModels.Target, new() { ExitThreshold = 0f }, draft: TinyModels.Draft, exits: exits);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var speculative = await CompleteAsync(new LocalVerifier(scheduler), DecodingMode.Speculative);
        Assert.InRange(speculative.End.Usage.AcceptedTokens, 1, speculative.End.Usage.DraftedTokens - 1);
        foreach (var mode in new[] { DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Colocated })
        {
            Assert.Equal(speculative.Tokens, (await CompleteAsync(new LocalVerifier(scheduler), mode)).Tokens);
            foreach (Func<Random, Verdict, Announcement?> announce in new[] { AdversarialAnnouncements.Right, AdversarialAnnouncements.Any })
            {
                var verifier = new AnnouncingVerifier(new LocalVerifier(scheduler), draftLength, announce);
                Assert.Equal(speculative.Tokens, (await CompleteAsync(verifier, mode)).Tokens);
            }
        }

        Task<DecodedGeneration> CompleteAsync(IVerifier verifier, DecodingMode mode) =>
            new EdgeDecoder(verifier, drafter, new() { DraftLength = draftLength })
                .CompleteAsync(request with { Mode = mode, DraftLength = draftLength }, Deadline.Token);
    }

    [Fact]
    public async Task Complete_OtherDrafts_MayWriteOtherTexts()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var differ = 0;
        for (var seed = 0UL; seed < 20; seed++)
        {
            var texts = new List<string>();
            foreach (var draftLength in new[] { 1, 5 })
            {
                var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter, new() { DraftLength = draftLength });
                texts.Add(string.Join(' ', (await decoder.CompleteAsync(Request(seed), Deadline.Token)).Tokens));
            }

            differ += texts[0] == texts[1] ? 0 : 1;
        }

        Assert.True(differ > 3, $"{differ} of 20 texts depend on the drafts: rejection sampling is not what decoded them.");
    }

    [Fact]
    public async Task Complete_NobodyDrafts_WritesTheTextOfSharedNoise()
    {
        var request = Request(5) with { Mode = DecodingMode.Autoregressive };
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var generation = await new EdgeDecoder(new LocalVerifier(scheduler)).CompleteAsync(request, Deadline.Token);
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, request), generation.Tokens);
    }

    [Fact]
    public async Task Complete_Greedy_WritesThePlainLoopsText()
    {
        var request = Request(5) with { Sampling = new() { Acceptance = AcceptanceRule.Rejection } };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        using var scheduler = new VerificationScheduler(TinyModels.Target, draft: TinyModels.Draft);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        foreach (var mode in Enum.GetValues<DecodingMode>().Where(mode => mode != DecodingMode.EdgeOnly))
        {
            var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter);
            Assert.Equal(expected, (await decoder.CompleteAsync(request with { Mode = mode }, Deadline.Token)).Tokens);
        }
    }

    [Fact]
    public async Task Complete_AnyDrafterInEveryMode_RunsToItsEndAndRepeats()
    {
        var request = Request(8);
        var likely = TinyModels.PlainLoop(TinyModels.Target, request);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        Func<IDrafter>[] drafters =
        [
            () => new NgramDrafter(),
            () => new RandomDrafter(3, VocabSize),
            () => new OracleDrafter(likely, 0, VocabSize),
            () => new OracleDrafter(likely, 1, VocabSize),
        ];
        foreach (var drafter in drafters)
        {
            var first = await CompleteAsync(drafter(), DecodingMode.Speculative);
            Assert.Equal(first, await CompleteAsync(drafter(), DecodingMode.Speculative));
            foreach (var mode in new[] { DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Auto })
            {
                Assert.Equal(first.Length, (await CompleteAsync(drafter(), mode)).Length);
            }
        }

        async Task<ImmutableArray<int>> CompleteAsync(IDrafter drafter, DecodingMode mode) =>
            (await new EdgeDecoder(new LocalVerifier(scheduler), drafter)
                .CompleteAsync(request with { Mode = mode }, Deadline.Token)).Tokens;
    }

    /// <summary>Models, caches, rounds and drafting ahead together: the first two tokens have the target's joint distribution.
    /// </summary>
    [Theory]
    [InlineData(DecodingMode.Pipelined)]
    [InlineData(DecodingMode.Colocated)]
    public async Task Complete_ManySeeds_HasTheTargetsFrequencies(DecodingMode mode)
    {
        const int TopK = 5;
        const int Generations = 3000;
        var sampling = new SamplingOptions { Temperature = 1f, TopK = TopK, Acceptance = AcceptanceRule.Rejection };
        var expected = new Dictionary<(int, int), double>();
        foreach (var (first, chance) in Probs(sampling, TinyModels.Prompt))
        {
            foreach (var (second, next) in Probs(sampling, [.. TinyModels.Prompt, first]))
            {
                expected[(first, second)] = chance * next;
            }
        }

        using var scheduler = new VerificationScheduler(TinyModels.Target, draft: TinyModels.Draft);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter, new() { DraftLength = 1 });
        var counts = expected.ToDictionary(pair => pair.Key, _ => 0);
        for (var seed = 0UL; seed < Generations; seed++)
        {
            var request = Request(seed) with
            {
                Mode = mode,
                MaxTokens = 3,
                DraftLength = 1,
                Sampling = sampling with { Seed = seed },
            };
            var tokens = (await decoder.CompleteAsync(request, Deadline.Token)).Tokens;
            counts[(tokens[0], tokens[1])]++;
        }

        var pValue = ChiSquare.PValue([.. counts.Values], [.. counts.Keys.Select(key => expected[key])]);
        TestContext.Current.TestOutputHelper?.WriteLine($"p = {pValue:F4}");
        Assert.InRange(pValue, 1e-4, 1);
    }

    private static List<(int Token, double Chance)> Probs(SamplingOptions sampling, ImmutableArray<int> context)
    {
        using var cache = TinyModels.Target.CreateCache();
        using var pass = TinyModels.Target.CreatePass(16, 1);
        var batch = new ForwardBatch();
        batch.Add(cache, context.AsSpan(), 1);
        pass.Run(batch);
        var survivors = SortingSampler.Survivors(sampling, pass.Logits(0), [], []);
        var total = survivors.Sum(s => Math.Exp(-s.Distance));
        return survivors.ConvertAll(s => (s.Token, Math.Exp(-s.Distance) / total));
    }

    private static GenerationRequest Request(ulong seed) => new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 40,
        IgnoreEndTokens = true,
        Sampling = TinyModels.Sampled(seed) with { Acceptance = AcceptanceRule.Rejection },
    };
}
