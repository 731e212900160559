using System.Runtime.CompilerServices;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>Integer dot products with activations in <see cref="ActivationBlocks"/>: walks tiles, chunks of blocks that
/// stay in the first-level cache, and row groups.</summary>
/// <param name="maxRows">Most rows of a group.</param>
/// <param name="partRows">Weight rows of a tile that the innermost loop handles together.</param>
internal abstract unsafe class IntegerMatrixKernel(int maxRows, int partRows) : MatrixKernel
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
    [SkipLocalsInit]
    public override void Multiply(
        WeightMatrix weights,
        byte* activations,
        in RowGroups groups,
        float* output,
        int outputStride,
        int tileStart,
        int tileEnd)
    {
        var sums = stackalloc float[MaxRows * partRows];
        var parts = WeightMatrix.TileRows / partRows;
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
                        var row = part * partRows;
                        var work = new TilePart
                        {
                            Quants = quants + (row * 4),
                            Scales = scales + row,
                            BlockCount = blocks,
                            Activation = activation,
                            Output = destination + row,
                            OutputStride = outputStride,
                            Accumulate = first > 0 ? 1 : 0,
                            Prefetch = ahead,
                            PrefetchBytes = step,
                            Sums = sums,
                        };
                        Multiply(size, &work);
                    }
                }
            }
        }
    }

    /// <summary>The innermost loop: a part of a tile against <paramref name="rows"/> activation rows.</summary>
    /// <param name="rows">1 … <see cref="MatrixKernel.MaxRows"/>.</param>
    /// <param name="part">What to multiply; used up by the call.</param>
    protected abstract void Multiply(int rows, TilePart* part);
}
