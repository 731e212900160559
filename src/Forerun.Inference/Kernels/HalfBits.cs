using System.Runtime.CompilerServices;

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
}
