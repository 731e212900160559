namespace Forerun.Core.Numerics;

/// <summary>Sixteen fp32 lanes. Every reduction in the engine runs over sixteen lanes and one fixed tree, whatever the
/// width of the machine's registers, so that all machines get the same bits.</summary>
/// <typeparam name="TSelf">The implementing struct.</typeparam>
/// <remarks>One kernel source, generic over the lanes, serves AVX-512 (<see cref="Lanes512"/>), AVX2
/// (<see cref="Lanes256"/>), and Arm64 or any other machine (<see cref="Lanes128"/>).</remarks>
public interface ILanes<TSelf>
    where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Loads 16 values from <paramref name="source"/>.</summary>
    static abstract TSelf Load(ref readonly float source);

    /// <summary>Loads 16 half-precision bit patterns, widened exactly (infinity and NaN patterns become numbers of
    /// 65,536 and above).</summary>
    static abstract TSelf LoadHalf(ref readonly ushort source);

    /// <summary>All lanes the same value.</summary>
    static abstract TSelf Create(float value);

    /// <summary>Stores 16 values.</summary>
    static abstract void Store(TSelf value, ref float destination);

    /// <summary><c>a + b</c>.</summary>
    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary><c>a - b</c>.</summary>
    static abstract TSelf operator -(TSelf a, TSelf b);

    /// <summary><c>a * b</c>.</summary>
    static abstract TSelf operator *(TSelf a, TSelf b);

    /// <summary><c>a / b</c>.</summary>
    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary><c>a * b + c</c>, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>Lane-wise larger value; inputs must not be NaN.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>Lane-wise smaller value; inputs must not be NaN.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>Lane-wise absolute value.</summary>
    static abstract TSelf Abs(TSelf value);

    /// <summary>Adds the low nine bits of <paramref name="biased"/>, shifted up by 23, to the
    /// exponent field of <paramref name="value"/>: multiplies by a power of two (see <see cref="LaneMath"/>).</summary>
    static abstract TSelf ScaleByPowerOfTwo(TSelf value, TSelf biased);

    /// <summary>The exponents k, as floats, for which <c>value · 2^-k</c> lies in [√½, √2); for positive normal
    /// numbers. Other bit patterns give some number, the same on every machine.</summary>
    static abstract TSelf Exponent(TSelf value);

    /// <summary>Sum of the lanes by a fixed tree: lanes i and i+8, then i+4, i+2, i+1.</summary>
    static abstract float Sum(TSelf value);

    /// <summary>Largest lane.</summary>
    static abstract float MaxAcross(TSelf value);
}
