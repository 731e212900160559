using CsCheck;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Drafting;

public class ModelDrafterTests
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        Sampling = TinyModels.Sampled(3),
        IgnoreEndTokens = true,
    };

    [Fact]
    public void Propose_DraftsThePlainLoopsText()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        Assert.Equal(
            TinyModels.PlainLoop(TinyModels.Draft, Request with { MaxTokens = 8 }),
            Propose(drafter, TinyModels.Prompt.AsSpan(), 8));
    }

    [Fact]
    public void Propose_AfterAnyVerdicts_DraftsAsIfNothingHadBeenDraftedBefore() =>
        Gen.Select(Gen.Int[1, 6], Gen.Select(Gen.Int[0, 6], Gen.Int[0, 600]).Array[1, 12]).Sample(
            (length, verdicts) =>
            {
                using var drafter = new ModelDrafter(TinyModels.Draft);
                drafter.Begin(Request);
                List<int> history = [.. Request.PromptTokens];
                foreach (var (accepted, next) in verdicts)
                {
                    var draft = Propose(drafter, history.ToArray(), length);
                    using var fresh = new ModelDrafter(TinyModels.Draft);
                    fresh.Begin(Request);
                    Assert.Equal(Propose(fresh, history.ToArray(), length), draft);
                    history.AddRange(draft[..Math.Min(accepted, draft.Length)]);
                    history.Add(next);
                }
            },
            iter: 10);

    [Fact]
    public void Begin_AnotherGeneration_ForgetsTheOneBefore()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        var first = Propose(drafter, TinyModels.Prompt.AsSpan(), 6);
        drafter.Begin(Request with { Sampling = TinyModels.Sampled(4) });
        Propose(drafter, [5, 6, 7], 6);
        drafter.Begin(Request);
        Assert.Equal(first, Propose(drafter, TinyModels.Prompt.AsSpan(), 6));
    }

    [Fact]
    public void Propose_EndToken_IsTheLastOfTheDraft()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var end = TinyModels.Draft.Tokenizer.EndTokens;
        var request = Request with { IgnoreEndTokens = false, Sampling = new() { Temperature = 100f } };
        for (var seed = 0UL; ; seed++)
        {
            drafter.Begin(request with { Sampling = request.Sampling with { Seed = seed } });
            var draft = Propose(drafter, TinyModels.Prompt.AsSpan(), 16);
            var at = Array.FindIndex(draft, token => end.Contains(token));
            if (at >= 0)
            {
                Assert.Equal(draft.Length - 1, at);
                return;
            }
        }
    }

    [Fact]
    public void Propose_ContextNearlyFull_DraftsWhatFits()
    {
        const int context = TinyModels.ShortContext;
        using var drafter = new ModelDrafter(TinyModels.ShortTarget);
        drafter.Begin(Request);
        var history = Enumerable.Range(0, context + 1).Select(i => i % 600).ToArray();
        Assert.Equal(3, Propose(drafter, history.AsSpan(0, context - 2), 8).Length);
        Assert.Single(Propose(drafter, history.AsSpan(0, context), 8));
        Assert.Empty(Propose(drafter, history, 8));
    }

    [Fact]
    public void Extend_Rejection_DraftsFromWhatItSends()
    {
        var sampling = Request.Sampling with { Acceptance = AcceptanceRule.Rejection };
        using var drafter = new ModelDrafter(TinyModels.Draft);
        using var branch = new DraftBranch();
        drafter.Begin(Request with { Sampling = sampling });
        branch.Follow(TinyModels.Prompt.AsSpan(), 16);
        while (!branch.IsComplete)
        {
            drafter.Extend(new ReadOnlySpan<DraftBranch>(in branch));
        }

        var probs = branch.ToDraft(round: 1, branch.Wanted, withDraftProbs: true).DraftProbs;
        Assert.Equal(16, probs.Length);
        for (var i = 0; i < branch.Count; i++)
        {
            var (drafted, position) = (branch[i], TinyModels.Prompt.Length + i);
            Assert.Equal(probs[i].Draw(sampling.Seed, position), drafted.Token);
            int[] others = [.. Enumerable.Range(0, drafted.Alternatives.Count).Select(rank => drafted.Alternatives[rank])];
            Assert.Equal(Math.Min(probs[i].Tokens.Length - 1, TokenAlternatives.Capacity), others.Length);
            Assert.DoesNotContain(drafted.Token, others);
            Assert.All(others, token => Assert.True(probs[i].WeightOf(token) > 0));
        }

        Assert.Contains(probs, draftProbs => draftProbs.Tokens.Length > 2);
    }

    [Fact]
    public void Propose_BeforeBegin_SaysWhatToDo()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        Assert.Equal(
            "No generation has begun: call Begin before Propose or Extend.",
            Assert.Throws<InvalidOperationException>(() => Propose(drafter, [1], 1)).Message);
    }

    [Fact]
    public void Propose_AfterWarmUp_AllocatesNothing()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        var history = new int[60];
        Span<int> draft = stackalloc int[4];
        var length = 8;
        for (var round = 0; round < 3; round++)
        {
            length = Round(drafter, history, length, draft);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 3; round++)
        {
            length = Round(drafter, history, length, draft);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Round(ModelDrafter drafter, int[] history, int length, Span<int> draft)
    {
        var count = drafter.Propose(history.AsSpan(0, length), draft);
        draft[..count].CopyTo(history.AsSpan(length));
        return length + count + 1;
    }

    private static int[] Propose(ModelDrafter drafter, ReadOnlySpan<int> history, int length)
    {
        var draft = new int[length];
        return draft[..drafter.Propose(history, draft)];
    }
}
