using CsCheck;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Drafting;

public class DraftBranchTests
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        Sampling = TinyModels.Sampled(3) with { RepetitionPenalty = 1.3f },
        IgnoreEndTokens = true,
    };

    [Fact]
    public void Extend_ForksInOneBatch_DraftWhatEachWouldAlone() =>
        Gen.Select(Gen.Int[1, 8], Gen.Select(Gen.Int[0, 5], Gen.Int[0, 600], Gen.Int[1, 6]).Array[1, 8]).Sample(
            (extra, forks) =>
            {
                using var drafter = new ModelDrafter(TinyModels.Draft);
                drafter.Begin(Request);
                using var trunk = new DraftBranch();
                trunk.Follow(Request.PromptTokens.AsSpan(), 5);
                Complete(drafter, trunk);
                var branches = forks.Select(fork =>
                {
                    var branch = new DraftBranch();
                    branch.ForkFrom(trunk, fork.Item1, fork.Item2, fork.Item3);
                    return branch;
                }).ToArray();
                Complete(drafter, branches);
                foreach (var (branch, fork) in branches.Zip(forks))
                {
                    int[] history = [.. Request.PromptTokens, .. trunk.Drafted[..fork.Item1], fork.Item2];
                    Assert.Equal(Alone(history, fork.Item3), branch.Drafted.ToArray());
                    branch.Dispose();
                }

                trunk.Wanted += extra;
                Complete(drafter, trunk);
                Assert.Equal(Alone([.. Request.PromptTokens], 5 + extra), trunk.Drafted.ToArray());
            },
            iter: 10);

    [Fact]
    public void Extend_EndTokenOrFullContext_EndsTheBranch()
    {
        using var drafter = new ModelDrafter(TinyModels.ShortTarget);
        drafter.Begin(Request);
        using var branch = new DraftBranch();
        branch.Follow([.. Enumerable.Range(0, TinyModels.ShortContext - 1)], 8);
        Complete(drafter, branch);
        Assert.Equal((true, 2), (branch.IsEnded, branch.Count));
        branch.Advance(2, 5, 8);
        Complete(drafter, branch);
        Assert.Equal((true, 0), (branch.IsEnded, branch.Count));
    }

    [Fact]
    public void CanFollow_EndTokensAndUnknownIds_False()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request with { IgnoreEndTokens = false });
        Assert.All(TinyModels.Draft.Tokenizer.EndTokens, token => Assert.False(drafter.CanFollow(token)));
        Assert.False(drafter.CanFollow(-1));
        Assert.False(drafter.CanFollow(TinyModels.Draft.Config.VocabSize));
        Assert.True(drafter.CanFollow(300));
        drafter.Begin(Request);
        Assert.All(TinyModels.Draft.Tokenizer.EndTokens, token => Assert.True(drafter.CanFollow(token)));
    }

    [Fact]
    public void Extend_Ngram_ProposesForTheBranchsTokens()
    {
        IDrafter drafter = new NgramDrafter();
        using var trunk = new DraftBranch();
        trunk.Follow([1, 2, 3, 4, 1, 2], 2);
        drafter.Extend([trunk]);
        Assert.Equal([3, 4], trunk.Drafted.ToArray());
        using var branch = new DraftBranch();
        branch.ForkFrom(trunk, 0, 1, 3);
        drafter.Extend([branch]);
        Assert.Equal([2, 1], branch.Drafted.ToArray());
        Assert.True(branch.IsEnded);
    }

    [Fact]
    public void Extend_AfterWarmUp_AllocatesNothing()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        DraftBranch[] branches = [new(), new(), new()];
        foreach (var branch in branches)
        {
            branch.Follow(Request.PromptTokens.AsSpan(), 12);
        }

        for (var i = 0; i < 6; i++)
        {
            drafter.Extend(branches);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 6; i++)
        {
            drafter.Extend(branches);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Array.ForEach(branches, branch => branch.Dispose());
    }

    private static int[] Alone(int[] history, int length)
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        var draft = new int[length];
        return draft[..drafter.Propose(history, draft)];
    }

    private static void Complete(ModelDrafter drafter, params DraftBranch[] branches)
    {
        while (branches.Where(branch => !branch.IsComplete).ToArray() is { Length: > 0 } open)
        {
            drafter.Extend(open);
        }
    }
}
