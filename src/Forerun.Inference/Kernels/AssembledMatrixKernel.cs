using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Integer dot products in machine code that <see cref="VnniAssembler{TFormat}"/> writes, one loop per row count.
/// </summary>
internal sealed unsafe class AssembledMatrixKernel<TFormat>() : IntegerMatrixKernel(MaxGroup, partRows: 16)
    where TFormat : struct, ITileFormat
{
    /// <summary>Most rows of a group.</summary>
    public const int MaxGroup = VnniAssembler<TFormat>.MaxRows;

    private static readonly MachineCode Loops =
        new([.. Enumerable.Range(1, MaxGroup).Select(rows => new VnniAssembler<TFormat>(rows).Assemble())]);

    /// <inheritdoc/>
    public override void Compile(int rows) => _ = Loops;

    /// <inheritdoc/>
    protected override void Multiply(int rows, TilePart* part) =>
        ((delegate* unmanaged[SuppressGCTransition]<TilePart*, void>)Loops[rows - 1])(part);
}
