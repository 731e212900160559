using System.Runtime.CompilerServices;
using Forerun.Core.Numerics;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>Float weights and float activations: the reference that quantised runs are compared with.</summary>
/// <remarks>Columns are added in order inside a slice of 512, slices in order.</remarks>
internal sealed unsafe class FloatMatrixKernel<TLanes>(int maxRows) : MatrixKernel
    where TLanes : struct, ILanes<TLanes>
{
    /// <inheritdoc/>
    public override int MaxRows { get; } = maxRows;

    /// <inheritdoc/>
    public override long ActivationBytes(int rows, int columns) => 4L * rows * columns;

    /// <inheritdoc/>
    public override void Prepare(
        float* source, int columns, int start, int end, byte* activations, in RowGroups groups, int row) =>
        new ReadOnlySpan<float>(source + start, end - start).CopyTo(
            new Span<float>((float*)activations + ((long)row * columns) + start, end - start));

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
        var rows = groups.Start(groups.Count);
        for (var tile = tileStart; tile < tileEnd; tile++)
        {
            for (var row = 0; row < rows; row++)
            {
                var x = (float*)activations + ((long)row * weights.Columns);
                var y = output + ((long)row * outputStride) + (tile * WeightMatrix.TileRows);
                Dot((float*)weights.Tile(tile), x, weights.Columns, y);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dot(float* weights, float* x, int columns, float* output)
    {
        var total = TLanes.Create(0f);
        for (var start = 0; start < columns; start += WeightMatrix.SliceColumns)
        {
            var slice = TLanes.Create(0f);
            var end = Math.Min(start + WeightMatrix.SliceColumns, columns);
            for (var column = start; column < end; column++)
            {
                slice = TLanes.MultiplyAdd(TLanes.Load(ref weights[column * 16]), TLanes.Create(x[column]), slice);
            }

            total += slice;
        }

        TLanes.Store(total, ref *output);
    }
}
