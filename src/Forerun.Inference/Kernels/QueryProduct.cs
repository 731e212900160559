namespace Forerun.Inference.Kernels;

/// <summary>Weighted sums of the same rows for up to eight queries: <c>output[q, :] = Σ_i weights[q, i] · rows[i, :]</c>, i in
/// order, each step rounded once. Scores are this over head dimensions, attention's outputs are this over positions.
/// Stateless; thread-safe.</summary>
internal abstract unsafe class QueryProduct
{
    /// <summary>Floats from one query's weights to the next query's: a constant, so that all are found from one address.</summary>
    public const int WeightStride = AttentionKernel.QueryStride;

    /// <summary>What sixteen halves take: how far is prefetched per row and vector.</summary>
    protected const int HalfBytes = 32;

    /// <summary>Up to so many queries it reads halves as they are; for more it is faster to widen them once.</summary>
    public abstract int MaxHalfQueries { get; }

    /// <summary>Computes <paramref name="vectors"/> vectors of 16 columns.</summary>
    /// <param name="part">What to multiply.</param>
    /// <param name="vectors">Vectors per row.</param>
    /// <param name="queries">1 … 8. Weights are read, and output written, up to a multiple of four queries.</param>
    public abstract void Run(in QueryPart part, int vectors, int queries);
}
