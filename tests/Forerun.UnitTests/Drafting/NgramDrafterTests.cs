using CsCheck;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Drafting;

public class NgramDrafterTests
{
    private static readonly NgramDrafter Drafter = new();

    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 5, 1, 2, 3 }, new[] { 4, 5, 1, 2 })]
    [InlineData(new[] { 1, 2, 3, 7, 2, 3, 8, 1, 2, 3 }, new[] { 7, 2, 3, 8 })]
    [InlineData(new[] { 1, 2, 7, 1, 2, 8, 1, 2 }, new[] { 8, 1, 2 })]
    [InlineData(new[] { 5, 6, 9, 6 }, new[] { 9, 6 })]
    [InlineData(new[] { 4, 4 }, new[] { 4 })]
    [InlineData(new[] { 1, 2, 3 }, new int[0])]
    [InlineData(new[] { 1 }, new int[0])]
    public void Propose_History_ContinuesTheLongestThenMostRecentMatch(int[] history, int[] expected) =>
        Assert.Equal(expected, Propose(history, 4));

    [Fact]
    public void Propose_AnyHistory_ProposesWhatFollowedTheSameTokens() =>
        Gen.Select(Gen.Int[0, 3].Array[1, 60], Gen.Int[1, 16]).Sample((history, length) =>
        {
            var draft = Propose(history, length);
            var longest = LongestRepeat(history);
            Assert.Equal(longest > 0, draft.Length > 0);
            int[] expected = [.. history[^longest..], .. draft];
            Assert.True(longest == 0 || history.AsSpan().IndexOf(expected) >= 0);
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

    /// <summary>The most of the last tokens, up to three, that stood together before.</summary>
    private static int LongestRepeat(int[] history) => Enumerable.Range(1, 3).LastOrDefault(length =>
        length < history.Length && history.AsSpan(0, history.Length - 1).IndexOf(history.AsSpan(^length..)) >= 0);

    private static int[] Propose(int[] history, int length)
    {
        var draft = new int[length];
        return draft[..Drafter.Propose(history, draft)];
    }
}
