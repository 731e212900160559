using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Inference.Kernels;

/// <summary>AVX2: 8 rows in a 256-bit register.</summary>
/// <remarks>u8 x s8 pairs are added in 16 bits. Nibbles cannot overflow there (8 groups x 2 x 15 x 127 = 30,480), so
/// a whole block is summed in 16 bits. Bytes are taken as signed weights, |w| times x with w's sign: one pair
/// (2 x 128 x 127 = 32,512) fits, and is widened at once.</remarks>
internal readonly unsafe struct Avx2Dot : ITileDot<Vector256<short>, Vector256<float>, ColumnGroups256>
{
    public static int Rows => 8;

    public static int RowsInRegisters => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ColumnGroups256 Load<TFormat>(byte* block, int step)
        where TFormat : struct, ITileFormat
    {
        var weights = ColumnGroups256.Load<TFormat>(block, step);
        var sign = Vector256.Create((byte)128);
        return TFormat.Nibbles ? weights : new(weights.First ^ sign, weights.Second ^ sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<short> Add<TFormat>(Vector256<short> sum, ColumnGroups256 weights, byte* x0, byte* x1)
        where TFormat : struct, ITileFormat
    {
        var a0 = Vector256.Create(*(int*)x0).AsSByte();
        var a1 = Vector256.Create(*(int*)x1).AsSByte();
        if (TFormat.Nibbles)
        {
            sum += Avx2.MultiplyAddAdjacent(weights.First, a0);
            return sum + Avx2.MultiplyAddAdjacent(weights.Second, a1);
        }

        var wide = sum.AsInt32() + Fours(weights.First.AsSByte(), a0);
        return (wide + Fours(weights.Second.AsSByte(), a1)).AsInt16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToFloat<TFormat>(Vector256<short> sum, int activationSum)
        where TFormat : struct, ITileFormat
    {
        if (!TFormat.Nibbles)
        {
            return Vector256.ConvertToSingle(sum.AsInt32());
        }

        var dot = Avx2.MultiplyAddAdjacent(sum, Vector256.Create((short)1));
        if (TFormat.Offset != 0)
        {
            dot -= Vector256.Create(activationSum * TFormat.Offset);
        }

        return Vector256.ConvertToSingle(dot);
    }

    /// <summary>Sums of four products, in 32 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Fours(Vector256<sbyte> weights, Vector256<sbyte> x) =>
        Avx2.MultiplyAddAdjacent(
            Avx2.MultiplyAddAdjacent(Avx2.Abs(weights), Avx2.Sign(x, weights)), Vector256.Create((short)1));
}
