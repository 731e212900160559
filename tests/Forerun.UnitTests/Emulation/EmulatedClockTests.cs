using Forerun.Core.Emulation;

namespace Forerun.UnitTests.Emulation;

public class EmulatedClockTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(99)]
    [InlineData(99.9)]
    public void End_WorkIsQuicker_WaitsForTheRest(double workMs)
    {
        var time = new WaitingTime();
        using var clock = new EmulatedClock(time);
        clock.Begin();
        time.Advance(TimeSpan.FromMilliseconds(workMs));
        clock.End(TimeSpan.FromMilliseconds(100));
        Assert.InRange(time.Now.TotalMilliseconds, 100, 100.1);
        Assert.Equal((1, 0), (clock.Pieces, clock.Overruns));
    }

    [Fact]
    public void End_WorkIsSlower_IsCountedAndNotWaitedFor()
    {
        var time = new WaitingTime();
        using var clock = new EmulatedClock(time);
        for (var i = 0; i < 3; i++)
        {
            clock.Begin();
            time.Advance(TimeSpan.FromMilliseconds(i == 1 ? 130 : 30));
            var late = clock.End(TimeSpan.FromMilliseconds(100));
            Assert.InRange(late.TotalMilliseconds, i == 1 ? 30 : -70, i == 1 ? 30.1 : -69.9);
        }

        Assert.InRange(time.Now.TotalMilliseconds, 330, 330.3);
        Assert.Equal((3, 1), (clock.Pieces, clock.Overruns));
    }

    [Fact]
    public void WaitUntil_Stages_EndInProportionToTheirLayers()
    {
        var profile = EmulatedProfileFile.Find("a100+jetson-nano");
        var time = new WaitingTime();
        using var clock = new EmulatedClock(time);
        clock.Begin();
        foreach (var (layers, endMs) in new[] { (10, 174.0), (24, 417.6), (30, 522.0) })
        {
            time.Advance(TimeSpan.FromMilliseconds(layers));
            clock.WaitUntil(profile.StageEnd(layers, 30));
            Assert.InRange(time.Now.TotalMilliseconds, endMs, endMs + 0.1);
        }

        Assert.Equal(0, clock.Pieces);
    }

    [Fact]
    public void End_SystemsClock_TakesAtLeastThatLong()
    {
        using var clock = new EmulatedClock(TimeProvider.System);
        var started = TimeProvider.System.GetTimestamp();
        clock.Begin();
        clock.End(TimeSpan.FromMilliseconds(10));
        Assert.True(TimeProvider.System.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(10));
    }
}
