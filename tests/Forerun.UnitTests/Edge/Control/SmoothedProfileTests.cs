using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class SmoothedProfileTests
{
    [Fact]
    public void Value_BeforeAnythingWasSeen_IsThePriorInProportionToTheWeight()
    {
        var profile = new SmoothedProfile(count: 8, prior: 1.5, weightOfPrior: 0.25);
        Assert.Equal(0.3, profile.Value(4, weight: 0.2), 1e-9);
    }

    /// <summary>Of a chance, one event says little.</summary>
    [Fact]
    public void Add_OneEventAgainstThePrior_MovesLittle()
    {
        var profile = new SmoothedProfile(count: 8, prior: 1.5, weightOfPrior: 0.25);
        profile.Add(4, value: 1, weight: 0.2);
        Assert.InRange(profile.Value(4, weight: 0.2), 0.35, 0.5);
        Assert.InRange(profile.Value(5, weight: 0.2), 0.3, 0.4);
    }

    [Fact]
    public void Add_ManyEvents_ReplaceThePrior()
    {
        var profile = new SmoothedProfile(count: 8, prior: 0.6);
        for (var i = 0; i < 200; i++)
        {
            profile.Add(4, i % 10 == 0 ? 1 : 0);
        }

        Assert.Equal(0.1, profile.Value(4), 0.05);
        Assert.Equal(0.1, profile.Value(5), 0.05);
    }
}
