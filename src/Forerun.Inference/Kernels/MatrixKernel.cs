using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>Multiplies a range of a weight matrix's tiles with the activations of a pass.</summary>
internal abstract unsafe class MatrixKernel
{
    /// <summary>Most activation rows that share one loaded weight.</summary>
    public abstract int MaxRows { get; }

    /// <summary>Bytes of prepared activations, <c>[rows, columns]</c>.</summary>
    public abstract long ActivationBytes(int rows, int columns);

    /// <summary>Brings columns of one activation row, <c>[columns]</c>, into the form that <see cref="Multiply"/> reads.
    /// </summary>
    /// <param name="source">The row, from its first column.</param>
    /// <param name="columns">Columns of the row.</param>
    /// <param name="start">First column to prepare, a multiple of 32.</param>
    /// <param name="end">End of the columns to prepare, a multiple of 32.</param>
    /// <param name="activations">Prepared rows.</param>
    /// <param name="groups">Their division.</param>
    /// <param name="row">Which row.</param>
    public abstract void Prepare(
        float* source, int columns, int start, int end, byte* activations, in RowGroups groups, int row);

    /// <summary>Brings a whole row into the form that <see cref="Multiply"/> reads.</summary>
    public void Prepare(float* source, int columns, byte* activations, in RowGroups groups, int row) =>
        Prepare(source, columns, 0, columns, activations, groups, row);

    /// <summary><c>output[row, 16 * tile …] = weights[16 * tile …, :] · activations[row, :]</c>.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="activations">Prepared rows.</param>
    /// <param name="groups">Their division.</param>
    /// <param name="output">Destination, <c>[rows, outputStride]</c>; written in whole tiles.</param>
    /// <param name="outputStride">At least 16 * tile count.</param>
    /// <param name="tileStart">First tile.</param>
    /// <param name="tileEnd">End of the tiles.</param>
    public abstract void Multiply(
        WeightMatrix weights,
        byte* activations,
        in RowGroups groups,
        float* output,
        int outputStride,
        int tileStart,
        int tileEnd);

    /// <summary>Has the loop for so many rows compiled, which the first <see cref="Multiply"/> that needs it waits for else.</summary>
    /// <param name="rows">1 … <see cref="MaxRows"/>.</param>
    public virtual void Compile(int rows)
    {
    }
}
