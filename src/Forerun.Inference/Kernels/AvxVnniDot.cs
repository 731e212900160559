using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Inference.Kernels;

/// <summary>AVX-VNNI beside AVX2: 8 rows in a 256-bit register.</summary>
internal readonly unsafe struct AvxVnniDot : ITileDot<Vector256<int>, Vector256<float>, AvxVnniDot.Weights>
{
    /// <summary>Two column groups.</summary>
    internal readonly struct Weights(Vector256<byte> first, Vector256<byte> second)
    {
        public readonly Vector256<byte> First = first;
        public readonly Vector256<byte> Second = second;
    }

    public static int Rows => 8;

    public static int RowsInRegisters => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Weights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles)
        {
            var packed = Vector256.Load(block + (step * 64));
            return new(LowNibbles(packed), HighNibbles(packed));
        }

        block += step * 128;
        return new(Vector256.Load(block), Vector256.Load(block + 64));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add<TFormat>(Vector256<int> sum, Weights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        sum = AvxVnni.MultiplyWideningAndAdd(sum, weights.First, Broadcast(x0));
        return AvxVnni.MultiplyWideningAndAdd(sum, weights.Second, Broadcast(x1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat<TFormat>(Vector256<int> sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Offset != 0)
        {
            sum -= Vector256.Create(activationSum * TFormat.Offset);
        }

        return Vector256.ConvertToSingle(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Broadcast(byte* x) => Vector256.Create(*(int*)x).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> LowNibbles(Vector256<byte> v) => v & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> HighNibbles(Vector256<byte> v) =>
        (v.AsUInt16() >> 4).AsByte() & Vector256.Create((byte)15);
}
