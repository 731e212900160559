namespace Forerun.UnitTests.Sampling;

public class ChiSquareTests
{
    [Theory]
    [InlineData(3.841, 1, 0.05)]
    [InlineData(5.991, 2, 0.05)]
    [InlineData(7.815, 3, 0.05)]
    [InlineData(18.307, 10, 0.05)]
    [InlineData(82.529, 63, 0.05)]
    [InlineData(24.322, 7, 0.001)]
    [InlineData(0, 5, 1)]
    public void UpperTail_TabulatedQuantiles_HaveTheirProbability(double x, int degrees, double expected) =>
        Assert.Equal(expected, ChiSquare.UpperTail(x, degrees), 0.001 * Math.Max(expected, 0.1));

    [Fact]
    public void PValue_CountWhereNothingCanBe_IsZero() =>
        Assert.Equal(0, ChiSquare.PValue([500, 499, 1], [0.5, 0.5, 0]));
}
