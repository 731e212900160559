using Forerun.Cli.Running;

namespace Forerun.UnitTests.Cli;

public class StatisticsTests
{
    // Of n fair coins at most i are heads with a chance of at most 2.5 %: n = 6 and 8, i = 0; n = 9 and 11, i = 1; n = 100, i = 39.
    [Theory]
    [InlineData(6, 1, 6)]
    [InlineData(8, 1, 8)]
    [InlineData(9, 2, 8)]
    [InlineData(11, 2, 10)]
    [InlineData(100, 40, 61)]
    [InlineData(2000, 956, 1045)]
    public void MedianInterval_AnyOrder_IsBetweenTheValuesOfTheSignTest(int count, double low, double high) =>
        Assert.Equal(new Interval(low, high), Enumerable.Range(1, count).Select(i => (double)i).Reverse().MedianInterval());

    [Fact]
    public void MedianInterval_FewerThanSix_IsUnknown()
    {
        Assert.Null(Array.Empty<double>().MedianInterval());
        Assert.Null(new double[] { 1, 2, 3, 4, 5 }.MedianInterval());
    }

    /// <summary>Of samples of a skewed distribution, at most one in twenty has its true median outside.</summary>
    [Fact]
    public void MedianInterval_ManySamples_HoldsTheMedianAsOftenAsItSays()
    {
        var random = new Random(1);
        var inside = Enumerable.Range(0, 4_000).Count(_ =>
        {
            var interval = Enumerable.Range(0, 12).Select(_ => -Math.Log(1 - random.NextDouble())).MedianInterval()!;
            return interval.Low <= Math.Log(2) && Math.Log(2) <= interval.High;
        });
        Assert.InRange(inside / 4_000.0, 0.95, 0.975);
    }
}
