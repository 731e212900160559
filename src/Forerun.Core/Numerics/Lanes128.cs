using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Forerun.Core.Numerics;

/// <summary>Sixteen lanes in four 128-bit registers: Arm64, and the portable twin of the wider ones.</summary>
public readonly struct Lanes128 : ILanes<Lanes128>
{
    private readonly Vector128<float> _a;
    private readonly Vector128<float> _b;
    private readonly Vector128<float> _c;
    private readonly Vector128<float> _d;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Lanes128(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        _a = a;
        _b = b;
        _c = c;
        _d = d;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(ref readonly float source) =>
        new(
            Vector128.LoadUnsafe(in source),
            Vector128.LoadUnsafe(in source, 4),
            Vector128.LoadUnsafe(in source, 8),
            Vector128.LoadUnsafe(in source, 12));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadHalf(ref readonly ushort source) =>
        new(
            Widen(in source, 0),
            Widen(in source, 4),
            Widen(in source, 8),
            Widen(in source, 12));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Create(float value)
    {
        var v = Vector128.Create(value);
        return new(v, v, v, v);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, ref float destination)
    {
        value._a.StoreUnsafe(ref destination);
        value._b.StoreUnsafe(ref destination, 4);
        value._c.StoreUnsafe(ref destination, 8);
        value._d.StoreUnsafe(ref destination, 12);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator +(Lanes128 a, Lanes128 b) =>
        new(
            a._a + b._a,
            a._b + b._b,
            a._c + b._c,
            a._d + b._d);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator -(Lanes128 a, Lanes128 b) =>
        new(
            a._a - b._a,
            a._b - b._b,
            a._c - b._c,
            a._d - b._d);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator *(Lanes128 a, Lanes128 b) =>
        new(
            a._a * b._a,
            a._b * b._b,
            a._c * b._c,
            a._d * b._d);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 operator /(Lanes128 a, Lanes128 b) =>
        new(
            a._a / b._a,
            a._b / b._b,
            a._c / b._c,
            a._d / b._d);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 a, Lanes128 b, Lanes128 c) =>
        new(
            Vector128.FusedMultiplyAdd(a._a, b._a, c._a),
            Vector128.FusedMultiplyAdd(a._b, b._b, c._b),
            Vector128.FusedMultiplyAdd(a._c, b._c, c._c),
            Vector128.FusedMultiplyAdd(a._d, b._d, c._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Max(Lanes128 a, Lanes128 b) =>
        new(
            Vector128.MaxNative(a._a, b._a),
            Vector128.MaxNative(a._b, b._b),
            Vector128.MaxNative(a._c, b._c),
            Vector128.MaxNative(a._d, b._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Min(Lanes128 a, Lanes128 b) =>
        new(
            Vector128.MinNative(a._a, b._a),
            Vector128.MinNative(a._b, b._b),
            Vector128.MinNative(a._c, b._c),
            Vector128.MinNative(a._d, b._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Abs(Lanes128 value) =>
        new(
            Vector128.Abs(value._a),
            Vector128.Abs(value._b),
            Vector128.Abs(value._c),
            Vector128.Abs(value._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ScaleByPowerOfTwo(Lanes128 value, Lanes128 biased) =>
        new(
            (value._a.AsInt32() + (biased._a.AsInt32() << 23)).AsSingle(),
            (value._b.AsInt32() + (biased._b.AsInt32() << 23)).AsSingle(),
            (value._c.AsInt32() + (biased._c.AsInt32() << 23)).AsSingle(),
            (value._d.AsInt32() + (biased._d.AsInt32() << 23)).AsSingle());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Exponent(Lanes128 value) =>
        new(
            Exponent(value._a),
            Exponent(value._b),
            Exponent(value._c),
            Exponent(value._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes128 value) => Sum((value._a + value._c) + (value._b + value._d));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Lanes128 value) => MaxAcross(
        Vector128.MaxNative(Vector128.MaxNative(value._a, value._b), Vector128.MaxNative(value._c, value._d)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Sum(Vector128<float> value)
    {
        var pairs = value + Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1));
        return pairs.ToScalar() + pairs.GetElement(1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float MaxAcross(Vector128<float> value)
    {
        var pairs = Vector128.MaxNative(value, Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(pairs, Vector128.Shuffle(pairs, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Widen(ref readonly ushort source, nuint offset)
    {
        var half = Vector64.LoadUnsafe(in source, offset).AsInt16().ToVector128Unsafe();
        var wide = Vector128.WidenLower(half) << 13;
        return (wide & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle() * LaneMath.TwoToThe112;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Exponent(Vector128<float> value) =>
        Vector128.ConvertToSingle((value.AsInt32() - Vector128.Create(DeterministicMath.SqrtHalfBits)) >> 23);
}
