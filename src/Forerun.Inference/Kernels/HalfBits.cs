using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Forerun.Inference.Kernels;

/// <summary>Half-precision numbers as bits, by integer arithmetic alone.</summary>
internal static class HalfBits
{
    private const int LargestFinite = 0x7BFF;

    /// <summary>Rounds to nearest even; magnitudes under 2^-14 become zero of the same sign, magnitudes above 65,504
    /// (and what is not a number) the largest finite half.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Round(float value)
    {
        var bits = BitConverter.SingleToInt32Bits(value);
        var magnitude = bits & 0x7FFFFFFF;

        // Round 13 bits away, ties to even, then move the exponent's bias from 127 to 15.
        var rounded = ((magnitude + 0xFFF + ((magnitude >> 13) & 1)) >> 13) - ((127 - 15) << 10);
        rounded = magnitude >= 0x7F800000 ? LargestFinite : Math.Min(rounded, LargestFinite);
        return (ushort)(((bits >> 16) & 0x8000) | (rounded < 0x400 ? 0 : rounded));
    }

    /// <summary>Rounds a row; the same as <see cref="Round(float)"/> for each value.</summary>
    /// <param name="source">Values, a multiple of 8.</param>
    /// <param name="destination">At least as many halves.</param>
    public static void Round(ReadOnlySpan<float> source, Span<ushort> destination)
    {
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(destination[..source.Length]);
        for (nuint i = 0; i < (nuint)source.Length; i += 8)
        {
            var bits = Vector256.LoadUnsafe(ref from, i).AsInt32();
            var magnitude = bits & Vector256.Create(0x7FFFFFFF);
            var odd = (magnitude >> 13) & Vector256<int>.One;
            var rounded = ((magnitude + Vector256.Create(0xFFF) + odd) >> 13) - Vector256.Create((127 - 15) << 10);
            var largest = Vector256.Create(LargestFinite);
            var infinite = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x7F800000));
            rounded = Vector256.ConditionalSelect(infinite, largest, Vector256.Min(rounded, largest));
            rounded = Vector256.AndNot(rounded, Vector256.LessThan(rounded, Vector256.Create(0x400)));
            var half = ((bits >> 16) & Vector256.Create(0x8000)) | rounded;
            Vector128.Narrow(half.GetLower(), half.GetUpper()).AsUInt16().StoreUnsafe(ref to, i);
        }
    }
}
