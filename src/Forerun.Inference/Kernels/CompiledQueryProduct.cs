using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Weighted sums in C#: four queries share what is read.</summary>
/// <remarks>The accumulators are separate locals and the steps written out, for the same reason as in
/// <see cref="TileKernel{TDot, TAccumulator, TWeights, TFloats, TFloat}"/>.</remarks>
internal sealed unsafe class CompiledQueryProduct<TLanes, TElements> : QueryProduct
    where TLanes : struct, ILanes<TLanes>
    where TElements : struct, IPageElements<TLanes>
{
    /// <inheritdoc/>
    public override int MaxHalfQueries => 8;

    /// <inheritdoc/>
    public override void Run(in QueryPart part, int vectors, int queries)
    {
        var next = part;
        var bytes = part.Prefetch is null ? 0 : HalfBytes;
        next.Prefetch = part.Prefetch is null ? part.Rows : part.Prefetch;
        for (var vector = 0; vector < vectors; vector++)
        {
            for (var query = 0; query < queries; query += 4)
            {
                FourQueries(next, query, query == 0 ? bytes : 0);
            }

            next.Rows += part.VectorStride;
            next.Output += 16;
            next.Prefetch += bytes * part.Count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FourQueries(in QueryPart part, int first, int prefetchBytes)
    {
        var rows = part.Rows;
        var rowStride = part.RowStride;
        var prefetch = part.Prefetch;
        var weights = part.Weights + (first * WeightStride);
        TLanes x0 = default, x1 = default, x2 = default, x3 = default;
        for (var end = weights + part.Count; weights < end; weights++, rows += rowStride)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(prefetch);
                prefetch += prefetchBytes;
            }

            var x = TElements.Load(rows);
            x0 = TLanes.MultiplyAdd(x, TLanes.Create(weights[0]), x0);
            x1 = TLanes.MultiplyAdd(x, TLanes.Create(weights[1 * WeightStride]), x1);
            x2 = TLanes.MultiplyAdd(x, TLanes.Create(weights[2 * WeightStride]), x2);
            x3 = TLanes.MultiplyAdd(x, TLanes.Create(weights[3 * WeightStride]), x3);
        }

        var output = part.Output + (first * part.OutputStride);
        TLanes.Store(x0, ref *output);
        TLanes.Store(x1, ref output[part.OutputStride]);
        TLanes.Store(x2, ref output[2 * part.OutputStride]);
        TLanes.Store(x3, ref output[3 * part.OutputStride]);
    }
}
