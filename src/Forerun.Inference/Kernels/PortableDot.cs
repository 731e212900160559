using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Forerun.Inference.Kernels;

/// <summary>Any machine: 4 rows in a 128-bit vector, widening multiplies.</summary>
internal readonly unsafe struct PortableDot : ITileDot<Vector128<int>, Vector128<float>, PortableDot.Weights>
{
    /// <summary>Two column groups.</summary>
    internal readonly struct Weights(Vector128<byte> first, Vector128<byte> second)
    {
        public readonly Vector128<byte> First = first;
        public readonly Vector128<byte> Second = second;
    }

    public static int Rows => 4;

    public static int RowsInRegisters => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Weights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles)
        {
            var packed = Vector128.Load(block + (step * 64));
            return new(packed & Vector128.Create((byte)15), packed >> 4);
        }

        block += step * 128;
        return new(Vector128.Load(block), Vector128.Load(block + 64));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add<TFormat>(Vector128<int> sum, Weights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        return sum + Dot(weights.First, *(int*)x0) + Dot(weights.Second, *(int*)x1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloat<TFormat>(Vector128<int> sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Offset != 0)
        {
            sum -= Vector128.Create(activationSum * TFormat.Offset);
        }

        return Vector128.ConvertToSingle(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Dot(Vector128<byte> weights, int activation)
    {
        // 255 x 127 fits in 16 bits; pairs are added in 32 bits, then pairs of pairs.
        var x = Vector128.WidenLower(Vector128.Create(activation).AsSByte());
        var low = Pairs(Vector128.WidenLower(weights).AsInt16() * x);
        var high = Pairs(Vector128.WidenUpper(weights).AsInt16() * x);
        return Vector128.Narrow(low + (low >>> 32), high + (high >>> 32));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<long> Pairs(Vector128<short> products)
    {
        var wide = products.AsInt32();
        return (((wide << 16) >> 16) + (wide >> 16)).AsInt64();
    }
}
