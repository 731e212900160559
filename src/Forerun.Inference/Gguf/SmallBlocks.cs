using System.Buffers.Binary;

namespace Forerun.Inference.Gguf;

/// <summary>Decodes the formats with 32 elements a block: one block each.</summary>
/// <remarks>The 16 bytes of nibbles hold elements 0 to 15 in the low and 16 to 31 in the high halves.</remarks>
internal static class SmallBlocks
{
    private const int Half = 16;

    /// <summary>Block: scale d (16-bit float), 32 signed bytes q. Value: d · q.</summary>
    public static void DecodeQ8_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = ReadHalf(block);
        for (var i = 0; i < 2 * Half; i++)
        {
            values[i] = scale * (sbyte)block[2 + i];
        }
    }

    /// <summary>Block: scale d (16-bit float), nibbles q. Value: d · (q - 8).</summary>
    public static void DecodeQ4_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = ReadHalf(block);
        for (var i = 0; i < Half; i++)
        {
            values[i] = scale * ((block[2 + i] & 0x0F) - 8);
            values[i + Half] = scale * ((block[2 + i] >> 4) - 8);
        }
    }

    /// <summary>Block: scale d and minimum m (16-bit floats), nibbles q. Value: d · q + m, the product rounded before
    /// the sum.</summary>
    public static void DecodeQ4_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (scale, minimum) = (ReadHalf(block), ReadHalf(block[2..]));
        for (var i = 0; i < Half; i++)
        {
            values[i] = (scale * (block[4 + i] & 0x0F)) + minimum;
            values[i + Half] = (scale * (block[4 + i] >> 4)) + minimum;
        }
    }

    /// <summary>Block: scale d (16-bit float), 32 fifth bits, nibbles; together q. Value: d · (q - 16).</summary>
    public static void DecodeQ5_0(ReadOnlySpan<byte> block, Span<float> values)
    {
        var scale = ReadHalf(block);
        for (var i = 0; i < 2 * Half; i++)
        {
            values[i] = scale * (FiveBits(block[2..], i) - 16);
        }
    }

    /// <summary>Block: scale d and minimum m (16-bit floats), 32 fifth bits, nibbles; together q. Value: d · q + m, the
    /// product rounded before the sum.</summary>
    public static void DecodeQ5_1(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (scale, minimum) = (ReadHalf(block), ReadHalf(block[2..]));
        for (var i = 0; i < 2 * Half; i++)
        {
            values[i] = (scale * FiveBits(block[4..], i)) + minimum;
        }
    }

    private static float ReadHalf(ReadOnlySpan<byte> source) => (float)BinaryPrimitives.ReadHalfLittleEndian(source);

    /// <summary>Number i of 32: its fifth bit is bit i of the first four bytes, the rest a nibble of the next
    /// 16.</summary>
    private static int FiveBits(ReadOnlySpan<byte> bits, int i)
    {
        var high = (bits[i / 8] >> (i % 8)) & 1;
        return (high << 4) | ((bits[4 + (i % Half)] >> (i / Half * 4)) & 0x0F);
    }
}
