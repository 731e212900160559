using CsCheck;
using Forerun.Core.Numerics;

namespace Forerun.UnitTests.Numerics;

public class DeterministicMathTests
{
    private static readonly double[] Edges =
        [0, 1, -1, 1e-300, 5e-324, 2.3e-308, Math.E, 709.7, -709, -740, -745.2, 1e308, 0.5, Math.Sqrt(0.5), 2];

    [Fact]
    public void ExpOfFloat_AnyInRange_IsWithinThreeUnits() =>
        Gen.Float[-87f, 88f].Sample(
            x => UnitsApart(DeterministicMath.Exp(x), Math.Exp(x)) <= 3.0, iter: 30_000);

    [Fact]
    public void LogOfFloat_AnyNormal_IsWithinOneUnit()
    {
        Gen.Int[0x00800000, 0x7F7FFFFF].Select(BitConverter.Int32BitsToSingle).Sample(IsAccurate, iter: 30_000);
        Gen.Float[0.5f, 2f].Sample(IsAccurate, iter: 30_000);

        static bool IsAccurate(float x) => UnitsApart(DeterministicMath.Log(x), Math.Log(x)) <= 1.0;
    }

    [Fact]
    public void ExpOfDouble_AnyInRange_IsAccurate() =>
        Gen.Double[-700, 700].Sample(x => RelativeError(DeterministicMath.Exp(x), Math.Exp(x)) < 1e-15, iter: 20_000);

    [Fact]
    public void LogOfDouble_AnyPositive_IsAccurate()
    {
        Gen.Long[1, 0x7FEFFFFFFFFFFFFF].Select(BitConverter.Int64BitsToDouble).Sample(IsAccurate, iter: 20_000);
        Gen.Double[0.5, 2].Sample(IsAccurate, iter: 20_000);

        static bool IsAccurate(double x) => RelativeError(DeterministicMath.Log(x), Math.Log(x)) < 1e-15;
    }

    [Fact]
    public void ExpAndLogOfDouble_SpecialValues_FollowMath()
    {
        foreach (var x in Edges)
        {
            Assert.Equal(Math.Exp(x), DeterministicMath.Exp(x), Math.Max(double.Epsilon, Math.Exp(x) * 1e-15));
        }

        foreach (var x in new[] { double.PositiveInfinity, double.NegativeInfinity, double.NaN, 0.0, -0.0 })
        {
            Assert.Equal(Math.Exp(x), DeterministicMath.Exp(x));
            Assert.Equal(Math.Log(x), DeterministicMath.Log(x));
        }

        Assert.True(double.IsNaN(DeterministicMath.Log(-1.0)));
    }

    [Fact]
    public void Pow_RotaryFrequencies_AreAccurate() =>
        Gen.Select(Gen.Double[100, 1e7], Gen.Int[0, 127]).Sample((theta, i) =>
            RelativeError(DeterministicMath.Pow(theta, -i / 128.0), Math.Pow(theta, -i / 128.0)) < 1e-14);

    [Fact]
    public void SinCos_AnglesUpToAMillion_AreAccurate() =>
        Gen.Double[-1e6, 1e6].Sample(
            x =>
            {
                var (sin, cos) = DeterministicMath.SinCos(x);
                return Math.Abs(sin - Math.Sin(x)) < 1e-14 && Math.Abs(cos - Math.Cos(x)) < 1e-14;
            },
            iter: 20_000);

    [Fact]
    public void SinCos_AngleOutOfRange_SaysTheRange()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => DeterministicMath.SinCos(2e9));
        Assert.StartsWith(
            "SinCos needs an angle between -2^30 and 2^30 radians.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => DeterministicMath.SinCos(double.NaN));
    }

    [Fact]
    public void AllFunctions_FixedInputs_KeepTheirBits()
    {
        Assert.Equal(0x3EBC5AB3, BitConverter.SingleToInt32Bits(DeterministicMath.Exp(-1f)));
        Assert.Equal(0x3F8C9F54, BitConverter.SingleToInt32Bits(DeterministicMath.Log(3f)));
        Assert.Equal(0x3FD78B56362CEF38, BitConverter.DoubleToInt64Bits(DeterministicMath.Exp(-1.0)));
        Assert.Equal(0x3FF193EA7AAD030A, BitConverter.DoubleToInt64Bits(DeterministicMath.Log(3.0)));
        Assert.Equal(0x3F50624DD2F1A9F9, BitConverter.DoubleToInt64Bits(DeterministicMath.Pow(10000.0, -0.75)));
        var (sin, cos) = DeterministicMath.SinCos(12345.678);
        Assert.Equal(0xBFE687D5890974A5, BitConverter.DoubleToUInt64Bits(sin));
        Assert.Equal(0x3FE6B94C3BBE24B8, BitConverter.DoubleToInt64Bits(cos));
    }

    private static double UnitsApart(float actual, double expected) =>
        Math.Abs(actual - expected) / (MathF.BitIncrement(MathF.Abs((float)expected)) - MathF.Abs((float)expected));

    private static double RelativeError(double actual, double expected) =>
        expected == 0.0 ? Math.Abs(actual) : Math.Abs((actual - expected) / expected);
}
