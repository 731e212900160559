using CsCheck;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Kernels;

public class HalfBitsTests
{
    private const ushort LargestFinite = 0x7BFF;
    private const float LeastNormal = 6.1035156e-5f;

    [Fact]
    public void Round_EveryHalf_ComesBackOrIsFlushedOrClipped()
    {
        for (var bits = 0; bits <= ushort.MaxValue; bits++)
        {
            var (sign, magnitude) = (bits & 0x8000, bits & 0x7FFF);
            var expected = magnitude switch
            {
                < 0x0400 => sign,
                > LargestFinite => sign | LargestFinite,
                _ => bits,
            };
            Assert.Equal((ushort)expected, HalfBits.Round((float)BitConverter.UInt16BitsToHalf((ushort)bits)));
        }
    }

    [Fact]
    public void Round_NormalRange_IsTheNearestHalf() =>
        Gen.OneOf(Gen.Float[-65_504f, 65_504f], Gen.Float[-1f, 1f], Gen.Float[-1e-3f, 1e-3f])
            .Where(value => MathF.Abs(value) >= LeastNormal)
            .Sample(
                value => Assert.Equal(BitConverter.HalfToUInt16Bits((Half)value), HalfBits.Round(value)), iter: 20_000);

    [Theory]
    [InlineData(65_519f, 0x7BFF)]
    [InlineData(65_520f, 0x7BFF)]
    [InlineData(-1e30f, 0xFBFF)]
    [InlineData(float.PositiveInfinity, 0x7BFF)]
    [InlineData(6.09e-5f, 0)]
    [InlineData(-1e-40f, 0x8000)]
    public void Round_OutsideTheNormalRange_IsClippedOrZero(float value, int expected) =>
        Assert.Equal((ushort)expected, HalfBits.Round(value));
}
