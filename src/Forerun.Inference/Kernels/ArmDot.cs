using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Forerun.Inference.Kernels;

/// <summary>Arm64 with the dot-product extension: 4 rows in a 128-bit register, signed weights.</summary>
internal readonly unsafe struct ArmDot : ITileDot<Vector128<int>, Vector128<float>, ArmDot.Weights>
{
    /// <summary>Two column groups.</summary>
    internal readonly struct Weights(Vector128<sbyte> first, Vector128<sbyte> second)
    {
        public readonly Vector128<sbyte> First = first;
        public readonly Vector128<sbyte> Second = second;
    }

    public static int Rows => 4;

    public static int RowsInRegisters => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Weights Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles)
        {
            var packed = Vector128.Load(block + (step * 64));
            return new((packed & Vector128.Create((byte)15)).AsSByte(), (packed >> 4).AsSByte());
        }

        block += step * 128;
        var sign = Vector128.Create((byte)128);
        return new((Vector128.Load(block) ^ sign).AsSByte(), (Vector128.Load(block + 64) ^ sign).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Add<TFormat>(Vector128<int> sum, Weights weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        sum = Dp.DotProduct(sum, weights.First, Vector128.Create(*(int*)x0).AsSByte());
        return Dp.DotProduct(sum, weights.Second, Vector128.Create(*(int*)x1).AsSByte());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToFloat<TFormat>(Vector128<int> sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        if (TFormat.Nibbles && TFormat.Offset != 0)
        {
            sum -= Vector128.Create(activationSum * TFormat.Offset);
        }

        return Vector128.ConvertToSingle(sum);
    }
}
