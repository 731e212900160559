using Forerun.Cli;
using Forerun.Edge.Links;

namespace Forerun.UnitTests.Cli;

public class LinkUnitsTests
{
    [Theory]
    [InlineData("20", 20)]
    [InlineData("20ms", 20)]
    [InlineData("1.5s", 1500)]
    [InlineData("250us", 0.25)]
    [InlineData("0", 0)]
    public void Time_Units(string text, double milliseconds) =>
        Assert.Equal(milliseconds, LinkUnits.Time(text).TotalMilliseconds);

    [Theory]
    [InlineData("20Mbit", 2.5e6, 2.5e6)]
    [InlineData("20mbit/s", 2.5e6, 2.5e6)]
    [InlineData("800bit", 100, 100)]
    [InlineData("1.6kbit:1Gbit", 200, 1.25e8)]
    public void Rate_Units(string text, double up, double down) => Assert.Equal((up, down), LinkUnits.Rate(text));

    [Theory]
    [InlineData("0.5%", 0.005)]
    [InlineData("50%", 0.5)]
    [InlineData("0%", 0)]
    public void Percentage_IsAShare(string text, double share) => Assert.Equal(share, LinkUnits.Percentage(text), 12);

    [Fact]
    public void Outage_OnceOrAgainAndAgain()
    {
        Assert.Equal(OutagePattern.Once(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2)), LinkUnits.Outage("2s@10s"));
        Assert.Equal(OutagePattern.Once(TimeSpan.Zero, TimeSpan.FromMilliseconds(300)), LinkUnits.Outage("300@0"));
        Assert.Equal(OutagePattern.Random(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(2)), LinkUnits.Outage("2s/60s"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1ms")]
    [InlineData("ms")]
    [InlineData("2h")]
    [InlineData("1e3")]
    [InlineData("Infinity")]
    [InlineData("9999999s")]
    public void Time_Wrong_TellsWhatIsExpected(string text) => AssertWrong(
        $"The time \"{text}\" is not understood: expected for example 20ms, 1.5s or 20 (milliseconds).", () => LinkUnits.Time(text));

    [Theory]
    [InlineData("20")]
    [InlineData("0Mbit")]
    [InlineData("-5Mbit")]
    [InlineData("5MB")]
    [InlineData("1Mbit:2Mbit:3Mbit")]
    [InlineData("1Mbit:")]
    public void Rate_Wrong_TellsWhatIsExpected(string text) => AssertWrong(
        $"The rate \"{text}\" is not understood: expected for example 20Mbit, 500kbit or 5Mbit:50Mbit (up:down).",
        () => LinkUnits.Rate(text));

    [Theory]
    [InlineData("0.5")]
    [InlineData("-1%")]
    [InlineData("%")]
    public void Percentage_Wrong_TellsWhatIsExpected(string text) => AssertWrong(
        $"The loss \"{text}\" is not understood: expected a percentage such as 0.5%.", () => LinkUnits.Percentage(text));

    [Theory]
    [InlineData("2s")]
    [InlineData("0s@1s")]
    [InlineData("2s/0s")]
    [InlineData("2s@1s/3s")]
    public void Outage_Wrong_TellsWhatIsExpected(string text) => AssertWrong(
        $"The outage \"{text}\" is not understood: expected for example 2s@10s (2 s long, from 10 s on) or 2s/60s (2 s long, every 60 s).",
        () => LinkUnits.Outage(text));

    private static void AssertWrong(string message, Func<object> parse) =>
        Assert.Equal(message, Assert.Throws<FormatException>(parse).Message);
}
