using System.Buffers.Binary;

namespace Forerun.Inference.Gguf;

/// <summary>Decodes the K formats: one block of 256 elements each, in sub-blocks of 16 or 32 whose small integer scales
/// (and minima) share one scale d (and one dmin) of 16-bit float.</summary>
internal static class SuperBlocks
{
    private const int Elements = 256;

    /// <summary>Block: 16 bytes of scale s (low nibble) and minimum m (high nibble), 64 bytes of 2-bit q, d, dmin.
    /// Value: d · s · q - dmin · m, sub-blocks of 16.</summary>
    public static void DecodeQ2_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (scale, minimum) = (ReadHalf(block[80..]), ReadHalf(block[82..]));
        for (var i = 0; i < Elements; i++)
        {
            var pair = block[i / 16];
            values[i] = (scale * (pair & 0x0F) * TwoBits(block[16..], i)) - (minimum * (pair >> 4));
        }
    }

    /// <summary>Block: 32 bytes of third bits (bit i / 32 of byte i mod 32), 64 bytes of 2-bit numbers, 12 bytes of 16
    /// 6-bit scales s, d. Value: d · (s - 32) · (q - 4), sub-blocks of 16.</summary>
    public static void DecodeQ3_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = ReadHalf(block[108..]);
        for (var i = 0; i < Elements; i++)
        {
            var quant = TwoBits(block[32..], i) | (Bit(block, i) << 2);
            values[i] = scale * (SixteenthScale(block[96..], i / 16) - 32) * (quant - 4);
        }
    }

    /// <summary>Block: d, dmin, 12 bytes of eight 6-bit scales s and minima m, 128 bytes of nibbles q. Value:
    /// d · s · q - dmin · m, sub-blocks of 32.</summary>
    public static void DecodeQ4_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (scale, minimum) = (ReadHalf(block), ReadHalf(block[2..]));
        for (var i = 0; i < Elements; i++)
        {
            var (s, m) = EighthScale(block[4..], i / 32);
            values[i] = (scale * s * Nibble(block[16..], i)) - (minimum * m);
        }
    }

    /// <summary>As <see cref="DecodeQ4_K"/>, with 32 bytes of fifth bits (bit i / 32 of byte i mod 32) before the
    /// nibbles.</summary>
    public static void DecodeQ5_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (scale, minimum) = (ReadHalf(block), ReadHalf(block[2..]));
        for (var i = 0; i < Elements; i++)
        {
            var (s, m) = EighthScale(block[4..], i / 32);
            var quant = Nibble(block[48..], i) | (Bit(block[16..], i) << 4);
            values[i] = (scale * s * quant) - (minimum * m);
        }
    }

    /// <summary>Block: 128 bytes of nibbles, 64 bytes of 2-bit upper parts, 16 signed bytes of scales s, d. Value:
    /// d · s · (q - 32), sub-blocks of 16. Of each half's 64 bytes of nibbles, the low ones come first.</summary>
    public static void DecodeQ6_K(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = ReadHalf(block[208..]);
        for (var i = 0; i < Elements; i++)
        {
            var low = (block[(i / 128 * 64) + (i % 64)] >> (i % 128 / 64 * 4)) & 0x0F;
            var quant = low | (TwoBits(block[128..], i) << 4);
            values[i] = scale * (sbyte)block[192 + (i / 16)] * (quant - 32);
        }
    }

    /// <summary>Scale and minimum of sub-block <paramref name="index"/> of eight, 0 to 63. The first four have the low
    /// six bits of bytes 0 to 7; the last four have nibbles of bytes 8 to 11 and the bits left over.</summary>
    public static (int Scale, int Minimum) EighthScale(ReadOnlySpan<byte> packed, int index) => index < 4
        ? (packed[index] & 63, packed[index + 4] & 63)
        : ((packed[index + 4] & 0x0F) | (packed[index - 4] >> 6 << 4),
            (packed[index + 4] >> 4) | (packed[index] >> 6 << 4));

    /// <summary>Scale <paramref name="index"/> of sixteen, 0 to 63: nibbles of bytes 0 to 7 (low ones first), upper two
    /// bits from bytes 8 to 11.</summary>
    private static int SixteenthScale(ReadOnlySpan<byte> packed, int index)
    {
        var low = (packed[index % 8] >> (index / 8 * 4)) & 0x0F;
        return low | (((packed[8 + (index % 4)] >> (index / 4 * 2)) & 3) << 4);
    }

    /// <summary>Every 64 elements share 32 bytes: the low nibbles are the first half.</summary>
    private static int Nibble(ReadOnlySpan<byte> packed, int i) =>
        (packed[(i / 64 * 32) + (i % 32)] >> (i % 64 / 32 * 4)) & 0x0F;

    /// <summary>Every 128 elements share 32 bytes: the lowest two bits are the first quarter.</summary>
    private static int TwoBits(ReadOnlySpan<byte> packed, int i) =>
        (packed[(i / 128 * 32) + (i % 32)] >> (i % 128 / 32 * 2)) & 3;

    private static int Bit(ReadOnlySpan<byte> packed, int i) => (packed[i % 32] >> (i / 32)) & 1;

    private static float ReadHalf(ReadOnlySpan<byte> source) => (float)BinaryPrimitives.ReadHalfLittleEndian(source);
}
