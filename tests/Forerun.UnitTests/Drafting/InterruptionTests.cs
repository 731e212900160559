using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Drafting;

/// <summary>A draft step that is interrupted was never begun.</summary>
public class InterruptionTests
{
    private const int Layers = 4;
    private const int Wanted = 3;

    private static readonly GenerationRequest Request = new() { PromptTokens = TinyModels.Prompt, Sampling = TinyModels.Sampled(3) };

    public static TheoryData<int, int> Cases =>
        new(from promptLength in new[] { 8, 300 } from look in Enumerable.Range(1, Layers) select (promptLength, look));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Extend_InterruptedAtAnyLook_LeavesBranchesAndDraftsOnTheSame(int promptLength, int look)
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        var prompt = Generations.Prompt(seed: 1, promptLength);
        var (branches, others) = (Fork(drafter, prompt.AsSpan()), Fork(drafter, prompt.AsSpan()));
        for (var step = 0; step < Wanted; step++)
        {
            var before = branches.Select(State).ToArray();
            var looks = 0;
            drafter.Extend(branches, () => ++looks == look);
            Assert.Equal(look, looks);
            Assert.Equal(before, branches.Select(State));

            looks = 0;
            drafter.Extend(branches, () => ++looks > Layers);
            Assert.Equal(Layers, looks);
            drafter.Extend(others);
            Assert.Equal(others.Select(State), branches.Select(State));
        }

        Assert.All(branches, branch => Assert.True(branch.IsComplete));
        Array.ForEach([.. branches, .. others], branch => branch.Dispose());
    }

    [Fact]
    public void Extend_InterruptedInAFirstStep_HasComputedNothingOfIt()
    {
        using var drafter = new ModelDrafter(TinyModels.Draft);
        drafter.Begin(Request);
        using var branch = new DraftBranch();
        branch.Follow(TinyModels.Prompt.AsSpan(), wanted: 1);
        drafter.Extend([branch], () => true);
        Assert.Equal((0, 0, false), (branch.Count, branch.Cache!.Length, branch.IsComplete));
    }

    /// <summary>Three lines that share a trunk's cache, none drafted yet.</summary>
    private static DraftBranch[] Fork(ModelDrafter drafter, ReadOnlySpan<int> prompt)
    {
        using var trunk = new DraftBranch();
        trunk.Follow(prompt, wanted: 2);
        while (!trunk.IsComplete)
        {
            drafter.Extend([trunk]);
        }

        DraftBranch[] branches = [new(), new(), new()];
        for (var i = 0; i < branches.Length; i++)
        {
            branches[i].ForkFrom(trunk, acceptedCount: i, nextToken: 50 + i, Wanted);
        }

        return branches;
    }

    private static (string Tokens, int Cached, bool IsEnded) State(DraftBranch branch) =>
        (string.Join(' ', branch.Tokens.ToArray()), branch.Cache!.Length, branch.IsEnded);
}
