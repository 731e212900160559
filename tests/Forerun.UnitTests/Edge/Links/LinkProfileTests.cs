using Forerun.Edge.Links;

namespace Forerun.UnitTests.Edge.Links;

public class LinkProfileTests
{
    private static readonly LinkProfile Custom = new()
    {
        Name = "custom",
        RoundTripTime = TimeSpan.FromMilliseconds(20),
        Jitter = TimeSpan.FromMilliseconds(5),
        BytesPerSecondUp = 250_000,
        BytesPerSecondDown = 2_500_000,
        LossRate = 0.005,
        Outages = OutagePattern.Random(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(2)),
    };

    [Fact]
    public void Named_AreThoseOfTheDocumentation()
    {
        Assert.Equal(
            ["loopback", "lan", "wifi", "5g", "lte", "wan", "satellite"], LinkProfile.Named.Select(profile => profile.Name));
        var page = File.ReadAllText(Repository.Path("docs", "links.md"));
        foreach (var profile in LinkProfile.Named)
        {
            profile.Validate();
            Assert.Same(profile, LinkProfile.Parse(profile.Name));
            Assert.Contains($"| `{profile.Name}` | {profile.Describe()} |", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_UnknownName_ListsTheNames() => Assert.Equal(
        "There is no link \"moon\": expected loopback, lan, wifi, 5g, lte, wan, satellite.",
        Assert.Throws<ArgumentException>(() => LinkProfile.Parse("moon")).Message);

    [Fact]
    public void Describe_TellsEveryFigure()
    {
        Assert.Equal("rtt 0 ms", LinkProfile.Loopback.Describe());
        Assert.Equal(
            "rtt 20 ms, jitter 5 ms, rate 2 Mbit/s up, 20 Mbit/s down, loss 0.5 %, outages of 2000 ms every 30000 ms",
            Custom.Describe());
        var once = LinkProfile.Loopback with { Outages = OutagePattern.Once(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)) };
        Assert.Equal("rtt 0 ms, outage 2000 ms from 1000 ms on", once.Describe());
    }

    [Fact]
    public void Validate_OutOfRange_TellsFieldRangeAndValue()
    {
        AssertWrong("the round trip must be 0 ms or more, got -1 ms", Custom with { RoundTripTime = TimeSpan.FromMilliseconds(-1) });
        AssertWrong(
            "the jitter must be between 0 ms and the round trip (20 ms), got 21 ms",
            Custom with { Jitter = TimeSpan.FromMilliseconds(21) });
        AssertWrong("the rates must be 0 or more, got -8 Mbit/s up, 20 Mbit/s down", Custom with { BytesPerSecondUp = -1e6 });
        AssertWrong("the loss must be between 0 % and 50 %, got 60 %", Custom with { LossRate = 0.6 });
    }

    [Fact]
    public void Scale_ShortensEveryTime()
    {
        var scaled = Custom.Scale(0.1);
        Assert.Equal(TimeSpan.FromMilliseconds(2), scaled.RoundTripTime);
        Assert.Equal(TimeSpan.FromMilliseconds(0.5), scaled.Jitter);
        Assert.Equal(2_500_000, scaled.BytesPerSecondUp, 3);
        Assert.Equal(TimeSpan.FromMilliseconds(22), scaled.RetransmissionDelay);
        Assert.Equal(TimeSpan.FromMilliseconds(200), scaled.Outages!.Duration);
        Assert.Equal(Custom.LossRate, scaled.LossRate);
    }

    private static void AssertWrong(string message, LinkProfile profile) => Assert.Equal(
        $"The link cannot be emulated: {message}.", Assert.Throws<ArgumentException>(profile.Validate).Message);
}
