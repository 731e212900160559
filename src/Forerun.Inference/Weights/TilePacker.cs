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
    /// <summary>The tile format that a tensor type becomes; <see cref="BlockPacker"/> says how.</summary>
    public static TileFormat FormatOf(GgufTensorType type, WeightFormat weights) => (weights, type) switch
    {
        (WeightFormat.Original, _) => TileFormat.F32,
        (_, GgufTensorType.Q4_0) => TileFormat.Q4,
        (_, GgufTensorType.Q4_1 or GgufTensorType.Q4_K) => TileFormat.Q4Minimum,
        (WeightFormat.FourBit, _) => TileFormat.Q4Minimum,
        _ => TileFormat.Q8,
    };

    /// <summary>What a tensor becomes.</summary>
    /// <param name="tensor">The tensor, <c>[rows, columns]</c>.</param>
    /// <param name="weights">Packed or original.</param>
    /// <param name="rows">How many of its rows, from the first on; null = all.</param>
    /// <exception cref="InvalidDataException">Its type is not supported.</exception>
    public static MatrixLayout LayoutOf(GgufTensor tensor, WeightFormat weights, int? rows = null)
    {
        TensorDecoder.ThrowIfUnsupported(tensor);
        return new MatrixLayout(
            FormatOf(tensor.Type, weights), rows ?? checked((int)tensor.RowCount), checked((int)tensor.RowLength));
    }

    /// <summary>Packs a tensor <c>[rows, columns]</c>.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="sourceRow">Which row of the file becomes row i; null = the same.</param>
    /// <param name="rows">How many rows, from the first on; null = all.</param>
    public WeightMatrix Pack(string name, Func<int, int>? sourceRow = null, int? rows = null)
    {
        var tensor = file.Tensor(name);
        var matrix = new WeightMatrix(LayoutOf(tensor, weights, rows), arena);
        workers.Run(worker =>
        {
            var end = (int)((long)matrix.TileCount * (worker + 1) / workers.Count);
            var scratch = new float[matrix.Columns];
            for (var tile = (int)((long)matrix.TileCount * worker / workers.Count); tile < end; tile++)
            {
                for (var row = 0; row < WeightMatrix.TileRows; row++)
                {
                    var target = (tile * WeightMatrix.TileRows) + row;
                    PackRow(tensor, target < matrix.Rows ? sourceRow?.Invoke(target) ?? target : -1, matrix, tile, row, scratch);
                }
            }
        });
        file.Release(tensor);
        return matrix;
    }

    private void PackRow(GgufTensor tensor, int source, WeightMatrix matrix, int tile, int row, float[] scratch)
    {
        if (source >= 0 && matrix.Format == FormatOf(tensor.Type, WeightFormat.Packed) && BlockPacker.Of(tensor.Type) is { } pack)
        {
            PackBlocks(pack, file.Address(tensor) + (source * tensor.RowBytes), tensor.Type, matrix, tile, row);
            return;
        }

        scratch.AsSpan().Clear();
        if (source >= 0)
        {
            TensorDecoder.DecodeRow(tensor.Type, file.Row(tensor, source), scratch);
        }

        FloatPacker.Pack(scratch, matrix, tile, row);
    }

    private static void PackBlocks(
        PackBlock pack, byte* source, GgufTensorType type, WeightMatrix matrix, int tile, int row)
    {
        var format = BlockFormat.Of(type);
        var tileBlocks = format.Elements / MatrixLayout.BlockColumns;
        var quants = matrix.Tile(tile);
        var scales = matrix.Scales(tile);
        for (var block = 0; block < matrix.BlockCount; block += tileBlocks)
        {
            pack(source, quants, scales, row);
            source += format.Bytes;
            quants += tileBlocks * matrix.BlockBytes;
            scales += tileBlocks * matrix.ScalesPerBlock;
        }
    }
}
