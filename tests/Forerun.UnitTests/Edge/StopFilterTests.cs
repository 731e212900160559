using CsCheck;
using Forerun.Edge.Generation;

namespace Forerun.UnitTests.Edge;

public class StopFilterTests
{
    private static readonly Gen<string> Letters = Gen.Char["ab"].Array[0, 30].Select(letters => new string(letters));

    [Fact]
    public void Append_AnyCutting_LetsThroughWhatStandsBeforeTheFirstStopString() =>
        Gen.Select(Letters, Gen.Char["ab"].Array[1, 4].Select(stop => new string(stop)).List[0, 3], Gen.Int[1, 7].Array[31])
            .Sample((text, stops, cuts) =>
            {
                var filter = new StopFilter(stops);
                var shown = "";
                for (int at = 0, i = 0; at < text.Length; at += cuts[i++])
                {
                    shown += filter.Append(text[at..Math.Min(text.Length, at + cuts[i])]);
                }

                var (expected, stopped) = Naive(text, stops);
                Assert.StartsWith(shown, expected, StringComparison.Ordinal);
                Assert.Equal((expected, stopped), (shown + filter.Flush(), filter.IsStopped));
            });

    [Fact]
    public void Append_PartOfAStopString_IsHeldBackUntilItIsNone()
    {
        var filter = new StopFilter(["###"]);
        Assert.Equal("a", filter.Append("a#"));
        Assert.Equal("", filter.Append("#"));
        Assert.Equal("##b", filter.Append("b"));
        Assert.Equal("c", filter.Append("c##"));
        Assert.Equal("##", filter.Flush());
        Assert.False(filter.IsStopped);
    }

    [Fact]
    public void Append_AfterTheStop_IsSilent()
    {
        var filter = new StopFilter(["\n\n"]);
        Assert.Equal("one", filter.Append("one\n\ntwo"));
        Assert.True(filter.IsStopped);
        Assert.Equal("", filter.Append("three") + filter.Flush());
    }

    [Fact]
    public void Constructor_EmptyStopString_IsRefused()
    {
        var exception = Assert.Throws<ArgumentException>(() => new StopFilter(["a", ""]));
        Assert.StartsWith("A stop string is empty: expected at least one character.", exception.Message);
    }

    /// <summary>The stop string that ends first; of those, the longest.</summary>
    private static (string Text, bool Stopped) Naive(string text, List<string> stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var ending = stops.Where(text[..end].EndsWith).ToList();
            if (ending.Count > 0)
            {
                return (text[..(end - ending.Max(stop => stop.Length))], true);
            }
        }

        return (text, false);
    }
}
