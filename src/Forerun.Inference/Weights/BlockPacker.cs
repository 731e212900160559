using Forerun.Inference.Gguf;

namespace Forerun.Inference.Weights;

/// <summary>Brings one block of a file's row into a tile.</summary>
/// <param name="source">The stored block.</param>
/// <param name="quants">The tile's first block that it fills.</param>
/// <param name="scales">The scales of that block.</param>
/// <param name="row">Row of the tile.</param>
internal unsafe delegate void PackBlock(byte* source, byte* quants, ushort* scales, int row);

/// <summary>Packs the formats whose integers a tile can hold as they are.</summary>
/// <remarks>Q8_0, Q5_0, Q4_0 and Q4_1 keep every value. Q4_K keeps its integers; a sub-block's scale d · s and minimum
/// -dmin · m are rounded to half precision (relative error at most 2^-11). All other types have no such form: they are
/// rounded to 8 bits per block of 32.</remarks>
internal static unsafe class BlockPacker
{
    private const uint SignBits = 0x80808080;
    private const uint LowNibbles = 0x0F0F0F0F;

    /// <summary>How blocks of a type are packed; null when their values have to be rounded to 8 bits.</summary>
    public static PackBlock? Of(GgufTensorType type) => type switch
    {
        GgufTensorType.Q8_0 => PackQ8_0,
        GgufTensorType.Q5_0 => PackQ5_0,
        GgufTensorType.Q4_0 => PackQ4_0,
        GgufTensorType.Q4_1 => PackQ4_1,
        GgufTensorType.Q4_K => PackQ4_K,
        _ => null,
    };

    /// <summary>What packing does to the values of a supported type, in a few words. Errors are root mean squares
    /// relative to the values', as measured on random and on bell-shaped values.</summary>
    public static string RuleOf(GgufTensorType type) => type switch
    {
        GgufTensorType.Q4_K => "scales rounded to half (rms error below 0.04 %)",
        _ when Of(type) is not null => "exact",
        _ => "rounded to 8 bits per 32 (rms error below 0.6 %)",
    };

    private static void PackQ8_0(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        for (var group = 0; group < 8; group++)
        {
            *(uint*)(quants + (group * 64) + (row * 4)) = *(uint*)(source + 2 + (group * 4)) ^ SignBits;
        }
    }

    /// <summary>Five bits q stand for q - 16, a tile's byte for itself - 128.</summary>
    private static void PackQ5_0(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        var fifthBits = *(uint*)(source + 2);
        for (var column = 0; column < MatrixLayout.BlockColumns; column++)
        {
            var low = (source[6 + (column % 16)] >> (column / 16 * 4)) & 0x0F;
            var quant = low | (int)(((fifthBits >> column) & 1) << 4);
            quants[(column / 4 * 64) + (row * 4) + (column % 4)] = (byte)(quant - 16 + 128);
        }
    }

    private static void PackQ4_0(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        PackNibbles(source + 2, quants, row);
    }

    private static void PackQ4_1(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        scales[16 + row] = *(ushort*)(source + 2);
        PackNibbles(source + 4, quants, row);
    }

    /// <summary>The file's byte j holds columns j (low) and j + 16 (high); a tile's chunk c holds groups 2c and
    /// 2c + 1.</summary>
    private static void PackNibbles(byte* source, byte* quants, int row)
    {
        for (var chunk = 0; chunk < 2; chunk++)
        {
            var even = *(uint*)(source + (chunk * 8));
            var odd = *(uint*)(source + (chunk * 8) + 4);
            *(uint*)(quants + (chunk * 64) + (row * 4)) = (even & LowNibbles) | ((odd & LowNibbles) << 4);
            *(uint*)(quants + ((chunk + 2) * 64) + (row * 4)) = ((even >> 4) & LowNibbles) | (odd & ~LowNibbles);
        }
    }

    /// <summary>Eight sub-blocks, each a tile's block: 32 bytes hold an even one (low) and an odd one (high).</summary>
    private static void PackQ4_K(byte* source, byte* quants, ushort* scales, int row)
    {
        var (scale, minimum) = ((float)*(Half*)source, (float)*(Half*)(source + 2));
        var packed = new ReadOnlySpan<byte>(source + 4, 12);
        for (var block = 0; block < 8; block++, quants += 256, scales += 32)
        {
            var (s, m) = SuperBlocks.EighthScale(packed, block);
            scales[row] = BitConverter.HalfToUInt16Bits((Half)(scale * s));
            scales[16 + row] = BitConverter.HalfToUInt16Bits((Half)(-minimum * m));
            var shift = block % 2 * 4;
            var nibbles = (uint*)(source + 16 + (block / 2 * 32));
            for (var chunk = 0; chunk < 4; chunk++)
            {
                var even = (nibbles[2 * chunk] >> shift) & LowNibbles;
                var odd = (nibbles[(2 * chunk) + 1] >> shift) & LowNibbles;
                *(uint*)(quants + (chunk * 64) + (row * 4)) = even | (odd << 4);
            }
        }
    }
}
