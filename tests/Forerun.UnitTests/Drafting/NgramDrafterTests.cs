using CsCheck;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Drafting;

public class NgramDrafterTests
{
    private static readonly NgramDrafter Drafter = new();

    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 5, 1, 2, 3 }, new[] { 4, 5, 1, 2 })]
    [InlineData(new[] { 9, 1, 2, 3, 4, 8, 1, 2, 3, 5, 9, 1, 2, 3 }, new[] { 5, 9, 1, 2 })]
    [InlineData(new[] { 5, 6, 9, 6 }, new[] { 9, 6 })]
    [InlineData(new[] { 1, 2, 3 }, new int[0])]
    public void Propose_History_ContinuesAsWhereUpToThreeTokensStoodBefore(int[] history, int[] expected) =>
        Assert.Equal(expected, Propose(history, 4));

    [Fact]
    public void Propose_AnyHistory_ProposesWhatFollowedTheRepetition() =>
        Gen.Select(Gen.Int[0, 3].Array[1, 60], Gen.Int[1, 16]).Sample((history, length) =>
        {
            var repeats = Repeats.Find(history, shortest: 1, longest: 3, out var next) > 0;
            Assert.Equal(repeats ? history.Skip(next).Take(length) : [], Propose(history, length));
        });

    [Fact]
    public void Propose_Always_AllocatesNothing()
    {
        int[] history = [.. Enumerable.Range(0, 60).Select(i => i % 7)];
        Span<int> draft = stackalloc int[8];
        Drafter.Propose(history, draft);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Drafter.Propose(history, draft);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int[] Propose(int[] history, int length)
    {
        var draft = new int[length];
        return draft[..Drafter.Propose(history, draft)];
    }
}
