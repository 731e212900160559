using System.CommandLine;
using Forerun.Cli;
using Forerun.Edge.Links;

namespace Forerun.UnitTests.Cli;

public class LinkOptionsTests
{
    [Fact]
    public void Profiles_NothingNamed_TheDefaultRoundTrips()
    {
        Assert.Equal(["loopback", "rtt 5 ms", "rtt 20 ms"], Names(several: true, []));
        Assert.Equal(["rtt 5 ms"], Profiles(several: false, [], 5).Select(link => link.Name));
    }

    [Fact]
    public void Profiles_NamesAndRoundTrips_EveryCombination()
    {
        Assert.Equal(["wifi", "lte"], Names(several: true, ["--link", "wifi", "lte"]));
        Assert.Equal(["loopback", "rtt 40 ms"], Names(several: true, ["--rtt", "0", "40"]));
        var links = Profiles(several: true, ["--link", "lan", "lte", "--rtt", "1s", "2s"], 0);
        Assert.Equal([1.0, 2.0, 1.0, 2.0], links.Select(link => link.RoundTripTime.TotalSeconds));
        Assert.Equal([0, 0, 0.001, 0.001], links.Select(link => link.LossRate));
    }

    [Fact]
    public void Profiles_Figures_ReplaceTheProfiles()
    {
        var link = Assert.Single(Profiles(
            several: false,
            ["--rtt", "20ms", "--jitter", "5ms", "--rate", "2Mbit:20Mbit", "--loss", "0.5%", "--outage", "2s/60s"]));
        Assert.Equal(
            "rtt 20 ms, jitter 5 ms, rate 2 Mbit/s up, 20 Mbit/s down, loss 0.5 %, outages of 2000 ms every 60000 ms", link.Name);
        Assert.Equal(LinkProfile.Parse("wifi"), Assert.Single(Profiles(several: false, ["--link", "wifi"], 5)));
    }

    [Theory]
    [InlineData("There is no link \"moon\": expected loopback, lan, wifi, 5g, lte, wan, satellite.", "--link", "moon")]
    [InlineData("The time \"x\" is not understood: expected for example 20ms, 1.5s or 20 (milliseconds).", "--rtt", "5", "x")]
    [InlineData("The loss \"1\" is not understood: expected a percentage such as 0.5%.", "--loss", "1")]
    public void Parse_Wrong_OneClearError(string message, params string[] arguments) =>
        Assert.Equal([message], Parse(new LinkOptions(several: true), arguments).Errors.Select(error => error.Message));

    [Fact]
    public void Parse_SeveralLinksWhereOneIsExpected_IsAnError() =>
        Assert.NotEmpty(Parse(new LinkOptions(several: false), ["--link", "wifi", "lte"]).Errors);

    [Fact]
    public void Profiles_JitterAboveTheRoundTrip_IsRefused() => Assert.Equal(
        "The link cannot be emulated: the jitter must be between 0 ms and the round trip (5 ms), got 6 ms.",
        Assert.Throws<ArgumentException>(() => Profiles(several: false, ["--jitter", "6"], 5)).Message);

    private static IEnumerable<string> Names(bool several, string[] arguments) =>
        Profiles(several, arguments, 0, 5, 20).Select(link => link.Name);

    private static LinkProfile[] Profiles(bool several, string[] arguments, params double[] defaults)
    {
        var options = new LinkOptions(several);
        var parsed = Parse(options, arguments);
        Assert.Empty(parsed.Errors);
        return [.. options.Profiles(parsed, defaults)];
    }

    private static ParseResult Parse(LinkOptions options, string[] arguments)
    {
        var command = new RootCommand();
        options.AddTo(command);
        return command.Parse(arguments);
    }
}
