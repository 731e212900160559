using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Inference.Kernels;

/// <summary>AVX2: 8 rows in a 256-bit register.</summary>
/// <remarks>u8 x s8 pairs are added in 16 bits. Nibbles cannot overflow there (8 groups x 2 x 15 x 127 = 30,480), so
/// a whole block is summed in 16 bits; bytes are split into two nibbles.</remarks>
internal readonly unsafe struct Avx2Dot
    : ITileDot<Avx2Dot.Accumulator, Vector256<float>, Avx2Dot.Weights>
{
    /// <summary>16-bit sums of pairs: low nibbles, and high nibbles of byte weights.</summary>
    internal readonly struct Accumulator(Vector256<short> low, Vector256<short> high)
    {
        public readonly Vector256<short> Low = low;
        public readonly Vector256<short> High = high;
    }

    /// <summary>Two column groups: low nibbles, and high nibbles of byte weights.</summary>
    internal readonly struct Weights(Vector256<byte> low0, Vector256<byte> low1, Vector256<byte> high0, Vector256<byte> high1)
    {
        public readonly Vector256<byte> Low0 = low0;
        public readonly Vector256<byte> Low1 = low1;
        public readonly Vector256<byte> High0 = high0;
        public readonly Vector256<byte> High1 = high1;
    }

    public static int Rows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Weights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles)
        {
            var packed = Vector256.Load(block + (step * 64));
            return new(LowNibbles(packed), HighNibbles(packed), default, default);
        }

        var first = Vector256.Load(block + (step * 128));
        var second = Vector256.Load(block + (step * 128) + 64);
        return new(LowNibbles(first), LowNibbles(second), HighNibbles(first), HighNibbles(second));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Add<TFormat>(Accumulator sum, Weights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        var a0 = Vector256.Create(*(int*)x0).AsSByte();
        var a1 = Vector256.Create(*(int*)x1).AsSByte();
        var low = sum.Low + Avx2.MultiplyAddAdjacent(weights.Low0, a0);
        low += Avx2.MultiplyAddAdjacent(weights.Low1, a1);
        if (TFormat.Nibbles)
        {
            return new(low, default);
        }

        var high = sum.High + Avx2.MultiplyAddAdjacent(weights.High0, a0);
        high += Avx2.MultiplyAddAdjacent(weights.High1, a1);
        return new(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat<TFormat>(Accumulator sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        var ones = Vector256.Create((short)1);
        var dot = Avx2.MultiplyAddAdjacent(sum.Low, ones);
        if (!TFormat.Nibbles)
        {
            dot += Avx2.MultiplyAddAdjacent(sum.High, ones) << 4;
        }

        if (TFormat.Offset != 0)
        {
            dot -= Vector256.Create(activationSum * TFormat.Offset);
        }

        return Vector256.ConvertToSingle(dot);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> LowNibbles(Vector256<byte> v) => v & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> HighNibbles(Vector256<byte> v) =>
        (v.AsUInt16() >> 4).AsByte() & Vector256.Create((byte)15);
}
