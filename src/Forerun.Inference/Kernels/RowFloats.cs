using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Floats, one per weight row of a tile part.</summary>
/// <typeparam name="TFloat">The register type.</typeparam>
internal unsafe interface IRowFloats<TFloat>
{
    /// <summary>Half-precision values, widened exactly.</summary>
    static abstract TFloat LoadHalf(ushort* source);

    /// <summary>Loads floats.</summary>
    static abstract TFloat Load(float* source);

    /// <summary>Stores floats.</summary>
    static abstract void Store(TFloat value, float* destination);

    /// <summary><c>a + b</c>.</summary>
    static abstract TFloat Add(TFloat a, TFloat b);

    /// <summary><c>a * b</c>, b the same for all rows.</summary>
    static abstract TFloat Multiply(TFloat a, float b);

    /// <summary><c>a * b + c</c>, rounded once.</summary>
    static abstract TFloat MultiplyAdd(TFloat a, TFloat b, TFloat c);

    /// <summary><c>a * b + c</c>, rounded once, b the same for all rows.</summary>
    static abstract TFloat MultiplyAdd(TFloat a, float b, TFloat c);
}

/// <summary>16 rows in one 512-bit register.</summary>
internal readonly unsafe struct RowFloats512 : IRowFloats<Vector512<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(ushort* source)
    {
        var wide = Vector512.WidenLower(Vector256.Load(source).AsInt16().ToVector512Unsafe());
        return ((wide << 13) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * LaneMath.TwoToThe112;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, float b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, float b, Vector512<float> c) =>
        Vector512.FusedMultiplyAdd(a, Vector512.Create(b), c);
}

/// <summary>8 rows in one 256-bit register.</summary>
internal readonly unsafe struct RowFloats256 : IRowFloats<Vector256<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(ushort* source)
    {
        var wide = Avx2.ConvertToVector256Int32((short*)source);
        return ((wide << 13) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * LaneMath.TwoToThe112;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, float b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) =>
        Vector256.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, float b, Vector256<float> c) =>
        Vector256.FusedMultiplyAdd(a, Vector256.Create(b), c);
}

/// <summary>4 rows in one 128-bit register.</summary>
internal readonly unsafe struct RowFloats128 : IRowFloats<Vector128<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadHalf(ushort* source)
    {
        var wide = Vector128.WidenLower(Vector64.Load(source).AsInt16().ToVector128Unsafe());
        return ((wide << 13) & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle() * LaneMath.TwoToThe112;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> a, float b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, float b, Vector128<float> c) =>
        Vector128.FusedMultiplyAdd(a, Vector128.Create(b), c);
}
