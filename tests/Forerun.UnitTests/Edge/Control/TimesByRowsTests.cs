using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class TimesByRowsTests
{
    private readonly TimesByRows _times = new(maxRows: 8, memory: 128);

    [Fact]
    public void Estimate_OneRowCount_IsALineThatCostsATenthMoreForARow()
    {
        Learn(rows: 1, ms: 10, passes: 16);
        Assert.Equal(10, _times.Estimate()[0], 0.01);
        Assert.Equal(17, _times.Estimate()[7], 0.1);
    }

    [Fact]
    public void Estimate_OnlyTheMostRows_IsTheSameLine()
    {
        Learn(rows: 8, ms: 17, passes: 16);
        Assert.Equal(10, _times.Estimate()[0], 0.1);
        Assert.Equal(17, _times.Estimate()[7], 0.01);
    }

    /// <summary>That a row takes as long as sixteen is not what was expected, but not a pass held up either.</summary>
    [Fact]
    public void Line_PassesThatTakeAsLongWhateverTheirRows_IsFlat()
    {
        var times = new TimesByRows(maxRows: 16, memory: 1024);
        Learn(times, rows: 16, ms: 75, passes: 9);
        Learn(times, rows: 1, ms: 75, passes: 9);
        Assert.Equal(75, times.Line().First, 1.0);
        Assert.Equal(0, times.Line().More, 0.1);
        Assert.All(times.Estimate(), ms => Assert.Equal(75, ms, 1.0));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(0.5)]
    public void Estimate_AfterTheMachineBecameSlowerOrFaster_IsSoForRowsThatWereNotRunSince(double change)
    {
        Learn(rows: 1, ms: 10, passes: 16);
        Learn(rows: 5, ms: 30, passes: 16);
        Learn(rows: 5, ms: 30 * change, passes: 96);
        Assert.Equal(30 * change, _times.Estimate()[4], 30 * change * 0.05);
        Assert.Equal(10 * change, _times.Estimate()[0], 10 * change * 0.1);
    }

    /// <summary>What a program took that had just started must not stay in the ratio of two row counts.</summary>
    [Theory]
    [InlineData(30, 15)]
    [InlineData(12, 18)]
    public void Estimate_RowsThatCostLessOrMoreThanAtFirst_FollowWhatIsMeasured(double first, double now)
    {
        for (var i = 0; i < 8; i++)
        {
            Learn(rows: 1, ms: 10, passes: 1);
            Learn(rows: 3, ms: first, passes: 1);
        }

        for (var i = 0; i < 96; i++)
        {
            Learn(rows: 1, ms: 10, passes: 1);
            Learn(rows: 3, ms: now, passes: 1);
        }

        Assert.Equal(10, _times.Estimate()[0], 0.5);
        Assert.Equal(now, _times.Estimate()[2], now * 0.1);
    }

    [Fact]
    public void Estimate_RowsThatWereNotRunForLong_StayAsTheyWere()
    {
        Learn(rows: 1, ms: 10, passes: 16);
        Learn(rows: 3, ms: 60, passes: 64);
        Assert.InRange(_times.Estimate()[0], 9, 15);
    }

    [Fact]
    public void Estimate_OnePassHeldUp_HardlyMoves()
    {
        Learn(rows: 1, ms: 10, passes: 16);
        Learn(rows: 2, ms: 12, passes: 16);
        Learn(rows: 2, ms: 10_000, passes: 1);
        Assert.InRange(_times.Estimate()[1], 12, 13);
        Assert.InRange(_times.Estimate()[0], 10, 11);
    }

    private void Learn(int rows, double ms, int passes) => Learn(_times, rows, ms, passes);

    private static void Learn(TimesByRows times, int rows, double ms, int passes)
    {
        for (var i = 0; i < passes; i++)
        {
            times.Learn(rows, ms);
        }
    }
}
