using Forerun.Inference.Execution;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Weights;

/// <summary>Brings a file's tensor into tiles, on all workers, and lets go of the file's pages.</summary>
/// <param name="file">The model file.</param>
/// <param name="weights">Packed or original.</param>
/// <param name="workers">Who packs.</param>
/// <param name="arena">Where the tiles go.</param>
internal sealed unsafe class TilePacker(GgufFile file, WeightFormat weights, WorkerPool workers, WeightArena arena)
{
    private const uint SignBits = 0x80808080;
    private const uint LowNibbles = 0x0F0F0F0F;

    private delegate void BlockPacker(byte* source, byte* quants, ushort* scales, int row);

    /// <summary>The tile format that a tensor type becomes.</summary>
    /// <remarks>Q8_0, Q4_0 and Q4_1 keep their numbers; floats are rounded to 8 bits per block of 32, scale = largest
    /// magnitude ÷ 127 in half precision.</remarks>
    public static TileFormat FormatOf(GgufTensorType type, WeightFormat weights) => (weights, type) switch
    {
        (WeightFormat.Original, _) => TileFormat.F32,
        (_, GgufTensorType.Q4_0) => TileFormat.Q4,
        (_, GgufTensorType.Q4_1) => TileFormat.Q4Minimum,
        _ => TileFormat.Q8,
    };

    /// <summary>What a tensor becomes.</summary>
    /// <exception cref="InvalidDataException">Its type is not supported.</exception>
    public static MatrixLayout LayoutOf(GgufTensor tensor, WeightFormat weights)
    {
        TensorDecoder.ThrowIfUnsupported(tensor);
        return new MatrixLayout(
            FormatOf(tensor.Type, weights), checked((int)tensor.RowCount), checked((int)tensor.RowLength));
    }

    /// <summary>Packs a tensor <c>[rows, columns]</c>.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="sourceRow">Which row of the file becomes row i; null = the same.</param>
    public WeightMatrix Pack(string name, Func<int, int>? sourceRow = null)
    {
        var tensor = file.Tensor(name);
        var matrix = new WeightMatrix(LayoutOf(tensor, weights), arena);
        var rows = matrix.Rows;
        workers.Run(worker =>
        {
            var end = (int)((long)matrix.TileCount * (worker + 1) / workers.Count);
            var scratch = new float[matrix.Columns];
            for (var tile = (int)((long)matrix.TileCount * worker / workers.Count); tile < end; tile++)
            {
                for (var row = 0; row < WeightMatrix.TileRows; row++)
                {
                    var target = (tile * WeightMatrix.TileRows) + row;
                    PackRow(tensor, target < rows ? sourceRow?.Invoke(target) ?? target : -1, matrix, tile, row, scratch);
                }
            }
        });
        file.Release(tensor);
        return matrix;
    }

    private void PackRow(GgufTensor tensor, int source, WeightMatrix matrix, int tile, int row, float[] scratch)
    {
        if (source >= 0 && matrix.Format != TileFormat.F32 && IsPackable(tensor.Type))
        {
            PackBlocks(file.Address(tensor) + (source * tensor.RowBytes), tensor, matrix, tile, row);
            return;
        }

        scratch.AsSpan().Clear();
        if (source >= 0)
        {
            TensorDecoder.DecodeRow(tensor.Type, file.Row(tensor, source), scratch);
        }

        if (matrix.Format == TileFormat.F32)
        {
            var destination = (float*)matrix.Tile(tile) + row;
            for (var column = 0; column < scratch.Length; column++)
            {
                destination[column * WeightMatrix.TileRows] = scratch[column];
            }
        }
        else
        {
            PackFloats(scratch, matrix, tile, row);
        }
    }

    private static bool IsPackable(GgufTensorType type) =>
        type is GgufTensorType.Q8_0 or GgufTensorType.Q4_0 or GgufTensorType.Q4_1;

    private static void PackBlocks(byte* source, GgufTensor tensor, WeightMatrix matrix, int tile, int row)
    {
        BlockPacker pack = matrix.Format switch
        {
            TileFormat.Q8 => PackQ8,
            TileFormat.Q4 => PackQ4,
            _ => PackQ4Minimum,
        };
        var blockBytes = BlockFormat.Of(tensor.Type).Bytes;
        var quants = matrix.Tile(tile);
        var scales = matrix.Scales(tile);
        for (var block = 0; block < matrix.BlockCount; block++)
        {
            pack(source, quants, scales, row);
            source += blockBytes;
            quants += matrix.BlockBytes;
            scales += matrix.ScalesPerBlock;
        }
    }

    private static void PackQ8(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        for (var group = 0; group < 8; group++)
        {
            *(uint*)(quants + (group * 64) + (row * 4)) = *(uint*)(source + 2 + (group * 4)) ^ SignBits;
        }
    }

    private static void PackQ4(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        PackNibbles(source + 2, quants, row);
    }

    private static void PackQ4Minimum(byte* source, byte* quants, ushort* scales, int row)
    {
        scales[row] = *(ushort*)source;
        scales[16 + row] = *(ushort*)(source + 2);
        PackNibbles(source + 4, quants, row);
    }

    /// <summary>The file's byte j holds columns j (low) and j + 16 (high); a tile's chunk c holds groups 2c and 2c + 1.</summary>
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

    private static void PackFloats(ReadOnlySpan<float> values, WeightMatrix matrix, int tile, int row)
    {
        var quants = matrix.Tile(tile);
        var scales = matrix.Scales(tile);
        for (var block = 0; block < matrix.BlockCount; block++)
        {
            var part = values.Slice(block * 32, 32);
            var largest = 0f;
            foreach (var value in part)
            {
                largest = MathF.Max(largest, MathF.Abs(value));
            }

            var scale = (Half)(largest / 127f);
            var inverse = scale == Half.Zero ? 0f : 1f / (float)scale;
            scales[row] = BitConverter.HalfToUInt16Bits(scale);
            for (var i = 0; i < 32; i++)
            {
                var quant = (int)MathF.Round(Math.Clamp(part[i] * inverse, -127f, 127f));
                quants[(i / 4 * 64) + (row * 4) + (i % 4)] = (byte)(quant + 128);
            }

            quants += matrix.BlockBytes;
            scales += matrix.ScalesPerBlock;
        }
    }
}
