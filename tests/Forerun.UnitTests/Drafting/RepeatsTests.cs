using CsCheck;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Drafting;

public class RepeatsTests
{
    [Theory]
    [InlineData(new[] { 1, 2, 3, 4, 5, 1, 2, 3 }, 1, 3, 3, 3)]
    [InlineData(new[] { 1, 2, 3, 7, 2, 3, 8, 1, 2, 3 }, 1, 3, 3, 3)]
    [InlineData(new[] { 1, 2, 3, 7, 2, 3, 8, 1, 2, 3 }, 1, 2, 2, 6)]
    [InlineData(new[] { 1, 2, 7, 1, 2, 8, 1, 2 }, 1, 3, 2, 5)]
    [InlineData(new[] { 5, 6, 9, 6 }, 1, 3, 1, 2)]
    [InlineData(new[] { 5, 6, 9, 6 }, 2, 3, 0, -1)]
    [InlineData(new[] { 4, 4 }, 1, 3, 1, 1)]
    [InlineData(new[] { 4, 4, 4, 4 }, 2, 6, 3, 3)]
    [InlineData(new[] { 1, 2, 3 }, 1, 3, 0, -1)]
    [InlineData(new[] { 1 }, 1, 3, 0, -1)]
    [InlineData(new int[0], 1, 3, 0, -1)]
    public void Find_History_FindsTheLongestThenMostRecent(
        int[] history, int shortest, int longest, int expectedLength, int expectedNext)
    {
        Assert.Equal(expectedLength, Repeats.Find(history, shortest, longest, out var next));
        Assert.Equal(expectedNext, next);
    }

    [Fact]
    public void Find_AnyHistory_IsTheLongestThenMostRecentOfAllPlaces() =>
        Gen.Select(Gen.Int[0, 3].Array[0, 60], Gen.Int[1, 4], Gen.Int[0, 4]).Sample((history, shortest, more) =>
        {
            var best = (
                from next in Enumerable.Range(1, Math.Max(0, history.Length - 1))
                let length = TogetherBefore(history, next, shortest + more)
                where length >= shortest
                orderby length descending, next descending
                select (length, next)).FirstOrDefault((0, -1));
            Assert.Equal(best, (Repeats.Find(history, shortest, shortest + more, out var found), found));
        });

    /// <summary>How many of the last tokens, up to <paramref name="most"/>, also stand directly before an index.</summary>
    private static int TogetherBefore(int[] history, int index, int most)
    {
        var length = 0;
        while (length < Math.Min(most, index) && history[index - 1 - length] == history[^(length + 1)])
        {
            length++;
        }

        return length;
    }
}
