using static System.BitConverter;

namespace Forerun.Core.Numerics;

/// <summary>Elementary functions from +, -, *, /, fused multiply-add and integer operations alone: the same bits on
/// x86, Arm and any other machine with IEEE 754 arithmetic, unlike those of <see cref="Math"/>. Pure; thread-safe.
/// </summary>
public static class DeterministicMath
{
    /// <summary>The bits of √½ as a float: where <see cref="Log(float)"/> splits exponent and fraction.</summary>
    internal const int SqrtHalfBits = 0x3F3504F3;

    private const long SqrtHalfBitsDouble = 0x3FE6A09E667F3BCD;
    private const float RoundingMagic = 12582912f;
    private const double RoundingMagicDouble = 6755399441055744.0;
    private const double Ln2High = 0.6931467056274414;
    private const double Ln2Low = 4.7493250390316726e-07;

    /// <summary>e^x for x in [-87, 88] (clamped; not NaN), within 3 units in the last place; the bits of
    /// <see cref="LaneMath.Exp"/>.</summary>
    public static float Exp(float x)
    {
        x = MathF.Max(MathF.Min(x, 88f), -87f);
        var biased = MathF.FusedMultiplyAdd(x, 1.44269504f, RoundingMagic);
        var n = biased - RoundingMagic;
        var r = MathF.FusedMultiplyAdd(n, -0.693145752f, x);
        r = MathF.FusedMultiplyAdd(n, -1.42860677e-6f, r);
        var p = 1.3888889e-3f;
        p = MathF.FusedMultiplyAdd(p, r, 8.3333333e-3f);
        p = MathF.FusedMultiplyAdd(p, r, 4.1666667e-2f);
        p = MathF.FusedMultiplyAdd(p, r, 0.16666667f);
        p = MathF.FusedMultiplyAdd(p, r, 0.5f);
        p = MathF.FusedMultiplyAdd(p, r, 1f);
        p = MathF.FusedMultiplyAdd(p, r, 1f);
        return ScaleByPowerOfTwo(p, biased);
    }

    /// <summary>Natural logarithm of a positive normal number, within 1 unit in the last place; the bits of
    /// <see cref="LaneMath.Log"/>, also for inputs outside that domain.</summary>
    public static float Log(float x)
    {
        var e = (float)((SingleToInt32Bits(x) - SqrtHalfBits) >> 23);
        var f = ScaleByPowerOfTwo(x, RoundingMagic - e) - 1f;
        var s = f / (2f + f);
        var z = s * s;
        var p = 2f / 9f;
        p = MathF.FusedMultiplyAdd(p, z, 2f / 7f);
        p = MathF.FusedMultiplyAdd(p, z, 2f / 5f);
        p = MathF.FusedMultiplyAdd(p, z, 2f / 3f);
        var h = 0.5f * f * f;
        var tail = MathF.FusedMultiplyAdd(e, 3.1946183e-5f, s * MathF.FusedMultiplyAdd(p, z, h));
        return MathF.FusedMultiplyAdd(e, 0.693115234f, f - (h - tail));
    }

    /// <summary>e^x; relative error below 1e-15. 0 and infinity where the result leaves the range; NaN for NaN.
    /// </summary>
    /// <remarks>x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor polynomial of degree 13.</remarks>
    public static double Exp(double x)
    {
        if (!(x > -746.0 && x < 710.0))
        {
            return double.IsNaN(x) ? double.NaN : x > 0.0 ? double.PositiveInfinity : 0.0;
        }

        var n = Math.FusedMultiplyAdd(x, 1.4426950408889634, RoundingMagicDouble) - RoundingMagicDouble;
        var r = Math.FusedMultiplyAdd(n, -Ln2Low, Math.FusedMultiplyAdd(n, -Ln2High, x));
        var p = 1.0;
        for (var i = 13; i > 0; i--)
        {
            p = Math.FusedMultiplyAdd(p, r / i, 1.0);
        }

        // In two halves, since 2^n alone may leave the range where the result does not.
        var half = (int)n >> 1;
        return p * PowerOfTwo(half) * PowerOfTwo((int)n - half);
    }

    /// <summary>Natural logarithm; relative error below 1e-15. -infinity for 0, NaN for negative numbers and NaN.
    /// </summary>
    public static double Log(double x)
    {
        if (!(x > 0.0 && x <= double.MaxValue))
        {
            return x == 0.0 ? double.NegativeInfinity : x > 0.0 ? double.PositiveInfinity : double.NaN;
        }

        var shift = 0L;
        if (!double.IsNormal(x))
        {
            x *= PowerOfTwo(54);
            shift = 54;
        }

        var exponent = (DoubleToInt64Bits(x) - SqrtHalfBitsDouble) >> 52;
        var f = Int64BitsToDouble(DoubleToInt64Bits(x) - (exponent << 52)) - 1.0;
        var e = (double)(exponent - shift);
        var s = f / (2.0 + f);
        var z = s * s;
        var p = 2.0 / 23.0;
        for (var i = 21; i > 1; i -= 2)
        {
            p = Math.FusedMultiplyAdd(p, z, 2.0 / i);
        }

        var h = 0.5 * f * f;
        var tail = Math.FusedMultiplyAdd(e, Ln2Low, s * Math.FusedMultiplyAdd(p, z, h));
        return Math.FusedMultiplyAdd(e, Ln2High, f - (h - tail));
    }

    /// <summary><paramref name="x"/> to the power <paramref name="y"/> for x &gt; 0, as e^(y log x); relative error
    /// about 2e-16 · (1 + |y log x|).</summary>
    /// <remarks>The inverse frequency of a rotary position embedding is <c>Pow(theta, -2.0 * i / headDim)</c>.
    /// </remarks>
    public static double Pow(double x, double y) => Exp(y * Log(x));

    /// <summary>Sine and cosine of <paramref name="x"/> radians; absolute error below 1e-15 for |x| ≤ 2^30.</summary>
    /// <remarks>x = n π/2 + r with |r| ≤ π/4, subtracting π/2 in two parts; then the Taylor polynomials of degree 17
    /// and 18.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="x"/> is NaN or beyond ±2^30.</exception>
    public static (double Sin, double Cos) SinCos(double x)
    {
        if (!(Math.Abs(x) <= 1 << 30))
        {
            throw new ArgumentOutOfRangeException(
                nameof(x), x, "SinCos needs an angle between -2^30 and 2^30 radians.");
        }

        var n = Math.FusedMultiplyAdd(x, 0.6366197723675814, RoundingMagicDouble) - RoundingMagicDouble;
        var r = Math.FusedMultiplyAdd(n, -1.5707963267948966, x);
        r = Math.FusedMultiplyAdd(n, -6.123233995736766e-17, r);
        var z = r * r;
        var (p, q) = (1.0, 1.0);
        for (var i = 17; i > 1; i -= 2)
        {
            p = Math.FusedMultiplyAdd(p, -z / (i * (i - 1)), 1.0);
            q = Math.FusedMultiplyAdd(q, -z / (i * (i + 1)), 1.0);
        }

        var (sin, cos) = (r * p, Math.FusedMultiplyAdd(q, -0.5 * z, 1.0));
        return ((long)n & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }

    private static float ScaleByPowerOfTwo(float value, float biased) =>
        Int32BitsToSingle(SingleToInt32Bits(value) + (SingleToInt32Bits(biased) << 23));

    private static double PowerOfTwo(int n) => Int64BitsToDouble((n + 1023L) << 52);
}
