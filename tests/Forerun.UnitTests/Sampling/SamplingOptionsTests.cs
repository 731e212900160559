using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

public class SamplingOptionsTests
{
    [Fact]
    public void Validate_EveryFieldWrong_ListsFieldRangeAndValue()
    {
        var options = new SamplingOptions
        {
            Temperature = 200f,
            TopK = -1,
            TopP = 0f,
            MinP = 1.5f,
            RepetitionPenalty = float.NaN,
            RepetitionWindow = -64,
        };
        Assert.Equal(
            "Sampling options are out of range: Temperature must be 0, or between 0.000001 and 100, got 200; "
            + "TopK must be 0 or more, got -1; TopP must be above 0 and at most 1, got 0; "
            + "MinP must be at least 0 and below 1, got 1.5; RepetitionPenalty must be between 0.1 and 10, got NaN; "
            + "RepetitionWindow must be 0 or more, got -64.",
            Assert.Throws<ArgumentException>(options.Validate).Message);
    }

    [Fact]
    public void Validate_EdgesOfTheRanges_Passes()
    {
        SamplingOptions.Default.Validate();
        new SamplingOptions { Temperature = 1e-6f, TopP = float.Epsilon, RepetitionPenalty = 0.1f }.Validate();
        new SamplingOptions { Temperature = 100f, MinP = 0.999f, RepetitionPenalty = 10f }.Validate();
        new SamplingOptions { RepetitionWindow = 0 }.Validate();
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-1f)]
    [InlineData(1e-7f)]
    public void Validate_UnusableTemperature_Throws(float temperature) => Assert.Throws<ArgumentException>(
        new SamplingOptions { Temperature = temperature }.Validate);
}
