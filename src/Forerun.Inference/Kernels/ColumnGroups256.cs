using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Forerun.Inference.Kernels;

/// <summary>Two column groups of eight weight rows, unpacked; bytes.</summary>
internal readonly unsafe struct ColumnGroups256(Vector256<byte> first, Vector256<byte> second)
{
    public readonly Vector256<byte> First = first;
    public readonly Vector256<byte> Second = second;

    /// <summary>Groups 2 * step and 2 * step + 1 of a block, as they are stored: unsigned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ColumnGroups256 Load<TFormat>(byte* block, int step)
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
    private static Vector256<byte> LowNibbles(Vector256<byte> v) => v & Vector256.Create((byte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> HighNibbles(Vector256<byte> v) =>
        (v.AsUInt16() >> 4).AsByte() & Vector256.Create((byte)15);
}
