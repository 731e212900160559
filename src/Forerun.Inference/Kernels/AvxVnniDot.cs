using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Inference.Kernels;

/// <summary>AVX-VNNI beside AVX2: 8 rows in a 256-bit register.</summary>
internal readonly unsafe struct AvxVnniDot : ITileDot<Vector256<int>, Vector256<float>, ColumnGroups256>
{
    public static int Rows => 8;

    public static int RowsInRegisters => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ColumnGroups256 Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat => ColumnGroups256.Load<TFormat>(block, step);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add<TFormat>(Vector256<int> sum, ColumnGroups256 weights, byte* x0, byte* x1)
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
}
