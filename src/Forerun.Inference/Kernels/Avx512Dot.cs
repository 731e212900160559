using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Inference.Kernels;

/// <summary>AVX-512 BW: 16 rows in a 512-bit register, without VNNI.</summary>
/// <remarks>u8 x s8 pairs are added in 16 bits. Nibbles cannot overflow there (8 groups x 2 x 15 x 127 = 30,480), so
/// a whole block is summed in 16 bits; bytes are split into two nibbles.</remarks>
internal readonly unsafe struct Avx512Dot
    : ITileDot<Avx512Dot.Accumulator, Vector512<float>, Avx512Dot.Weights>
{
    /// <summary>16-bit sums of pairs: low nibbles, and high nibbles of byte weights.</summary>
    internal readonly struct Accumulator(Vector512<short> low, Vector512<short> high)
    {
        public readonly Vector512<short> Low = low;
        public readonly Vector512<short> High = high;
    }

    /// <summary>Two column groups: low nibbles, and high nibbles of byte weights.</summary>
    internal readonly struct Weights(Vector512<byte> low0, Vector512<byte> low1, Vector512<byte> high0, Vector512<byte> high1)
    {
        public readonly Vector512<byte> Low0 = low0;
        public readonly Vector512<byte> Low1 = low1;
        public readonly Vector512<byte> High0 = high0;
        public readonly Vector512<byte> High1 = high1;
    }

    public static int Rows => 16;

    public static int RowsInRegisters => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Weights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles)
        {
            var packed = Vector512.Load(block + (step * 64));
            return new(LowNibbles(packed), HighNibbles(packed), default, default);
        }

        var first = Vector512.Load(block + (step * 128));
        var second = Vector512.Load(block + (step * 128) + 64);
        return new(LowNibbles(first), LowNibbles(second), HighNibbles(first), HighNibbles(second));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Accumulator Add<TFormat>(Accumulator sum, Weights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        var a0 = Vector512.Create(*(int*)x0).AsSByte();
        var a1 = Vector512.Create(*(int*)x1).AsSByte();
        var low = sum.Low + Avx512BW.MultiplyAddAdjacent(weights.Low0, a0);
        low += Avx512BW.MultiplyAddAdjacent(weights.Low1, a1);
        if (TFormat.Nibbles)
        {
            return new(low, default);
        }

        var high = sum.High + Avx512BW.MultiplyAddAdjacent(weights.High0, a0);
        high += Avx512BW.MultiplyAddAdjacent(weights.High1, a1);
        return new(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToFloat<TFormat>(Accumulator sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        var ones = Vector512.Create((short)1);
        var dot = Avx512BW.MultiplyAddAdjacent(sum.Low, ones);
        if (!TFormat.Nibbles)
        {
            dot += Avx512BW.MultiplyAddAdjacent(sum.High, ones) << 4;
        }

        if (TFormat.Offset != 0)
        {
            dot -= Vector512.Create(activationSum * TFormat.Offset);
        }

        return Vector512.ConvertToSingle(dot);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> LowNibbles(Vector512<byte> v) => v & Vector512.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<byte> HighNibbles(Vector512<byte> v) =>
        (v.AsUInt16() >> 4).AsByte() & Vector512.Create((byte)15);
}
