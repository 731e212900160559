using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>Integer dot products: weights of a format known to the compiler, activations in <see cref="ActivationBlocks"/>.</summary>
internal sealed unsafe class IntegerMatrixKernel<TDot, TAccumulator, TWeights, TFloats, TFloat, TFormat>(int maxRows)
    : MatrixKernel
    where TDot : struct, ITileDot<TAccumulator, TFloat, TWeights>
    where TAccumulator : struct
    where TWeights : struct
    where TFloats : struct, IRowFloats<TFloat>
    where TFloat : struct
    where TFormat : struct, ITileFormat
{
    private const int PrefetchBlocks = 16;

    /// <summary>Weights that stay in the first-level cache while all rows pass over them.</summary>
    private const int CacheBytes = 24 * 1024;

    /// <inheritdoc/>
    public override int MaxRows { get; } = maxRows;

    /// <inheritdoc/>
    public override long ActivationBytes(int rows, int columns) => ActivationBlocks.Bytes(rows, columns);

    /// <inheritdoc/>
    public override void Prepare(
        float* source, int columns, int start, int end, byte* activations, in RowGroups groups, int row) =>
        ActivationBlocks.Quantize(source, columns, start, end, activations, groups, row);

    /// <inheritdoc/>
    public override void Multiply(
        WeightMatrix weights,
        byte* activations,
        in RowGroups groups,
        float* output,
        int outputStride,
        int tileStart,
        int tileEnd)
    {
        var parts = WeightMatrix.TileRows / TDot.Rows;
        var passes = groups.Count * parts;
        var step = ((weights.BlockBytes / passes) + 63) & ~63;
        var chunk = CacheBytes / weights.BlockBytes / WeightMatrix.SliceBlocks * WeightMatrix.SliceBlocks;
        chunk = Math.Max(chunk, WeightMatrix.SliceBlocks);
        for (var tile = tileStart; tile < tileEnd; tile++)
        {
            for (var first = 0; first < weights.BlockCount; first += chunk)
            {
                var blocks = Math.Min(chunk, weights.BlockCount - first);
                var quants = weights.Tile(tile) + ((long)first * weights.BlockBytes);
                var scales = weights.Scales(tile) + ((long)first * weights.ScalesPerBlock);
                var ahead = quants + ((long)(passes == 1 ? PrefetchBlocks : blocks) * weights.BlockBytes);
                for (var group = 0; group < groups.Count; group++)
                {
                    var (start, size) = (groups.Start(group), groups.Size(group));
                    var activation = activations + ActivationBlocks.Bytes(start, weights.Columns)
                        + ((long)first * ActivationBlocks.BytesPerRow * size);
                    var destination = output + ((long)start * outputStride) + (tile * WeightMatrix.TileRows);
                    for (var part = 0; part < parts; part++, ahead += step * blocks)
                    {
                        var row = part * TDot.Rows;
                        Multiply(
                            size,
                            quants + (row * 4),
                            scales + row,
                            blocks,
                            activation,
                            destination + row,
                            outputStride,
                            first > 0,
                            ahead,
                            step);
                    }
                }
            }
        }
    }

    private static void Multiply(
        int size, byte* q, ushort* s, int n, byte* a, float* y, int stride, bool add, byte* ahead, int step)
    {
        switch (size)
        {
            case 1:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows1>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 2:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows2>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 3:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows3>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 4:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows4>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 5:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows5>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 6:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows6>(q, s, n, a, y, stride, add, ahead, step);
                break;
            case 7:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows7>(q, s, n, a, y, stride, add, ahead, step);
                break;
            default:
                TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
                    .Multiply<TFormat, Rows8>(q, s, n, a, y, stride, add, ahead, step);
                break;
        }
    }
}
