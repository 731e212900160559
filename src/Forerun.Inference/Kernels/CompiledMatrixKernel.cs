namespace Forerun.Inference.Kernels;

/// <summary>Integer dot products in C#: instruction set, weight format and row count are known to the compiler.</summary>
internal sealed unsafe class CompiledMatrixKernel<TDot, TAccumulator, TWeights, TFloats, TFloat, TFormat>(int maxRows)
    : IntegerMatrixKernel(maxRows, TDot.Rows)
    where TDot : struct, ITileDot<TAccumulator, TFloat, TWeights>
    where TAccumulator : struct
    where TWeights : struct
    where TFloats : struct, IRowFloats<TFloat>
    where TFloat : struct
    where TFormat : struct, ITileFormat
{
    /// <inheritdoc/>
    public override void Compile(int rows)
    {
        var noBlocks = default(TilePart);
        Multiply(rows, &noBlocks);
    }

    /// <inheritdoc/>
    protected override void Multiply(int rows, TilePart* part)
    {
        switch (rows)
        {
            case 1: Multiply<Rows1>(part); break;
            case 2: Multiply<Rows2>(part); break;
            case 3: Multiply<Rows3>(part); break;
            case 4: Multiply<Rows4>(part); break;
            case 5: Multiply<Rows5>(part); break;
            case 6: Multiply<Rows6>(part); break;
            case 7: Multiply<Rows7>(part); break;
            default: Multiply<Rows8>(part); break;
        }
    }

    private static void Multiply<TRows>(TilePart* part)
        where TRows : struct, IRowCount =>
        TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>.Multiply<TFormat, TRows>(part);
}
