using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;
using Forerun.Inference.Execution;

namespace Forerun.Inference.Kernels;

/// <summary>Attention of up to eight queries over one page of 64 positions, and the merging of pages in order.</summary>
/// <remarks>A page yields (largest score m, sum l of e^(score - m), sum o of e^(score - m) · value); pages are merged
/// one after the other from position 0, so the result does not depend on who computed which page, or when.
/// Flash-decoding over fixed pages: Dao et al. 2022, arXiv 2205.14135, section 3.1.</remarks>
internal abstract unsafe class AttentionKernel
{
    /// <summary>Queries handled together.</summary>
    public const int QueriesPerCall = 8;

    /// <summary>Floats that <see cref="Page"/> needs as scratch.</summary>
    public const int ScratchFloats = 2 * QueriesPerCall * QueryStride;

    /// <summary>Floats from one query, or its scores, to the next in the scratch; the longest head.</summary>
    public const int QueryStride = 256;

    /// <summary>Floats of one partial result: o <c>[headDim]</c>, then m, l and padding.</summary>
    public static int PartialStride(int headDim) => headDim + 16;

    /// <summary>Up to so many queries read a page's halves as they are; for more it is faster to widen them once.</summary>
    public abstract int MaxHalfQueries { get; }

    /// <summary>Widens a page of halves, count a multiple of 32.</summary>
    public abstract void Widen(ushort* source, float* destination, int count);

    /// <summary>Partial results of some queries over one page.</summary>
    /// <param name="page">Keys and values.</param>
    /// <param name="headDim">A multiple of 16, at most <see cref="QueryStride"/>.</param>
    /// <param name="queries">Rotated, scaled queries, <c>[headDim]</c> each.</param>
    /// <param name="count">How many, 1 … <see cref="QueriesPerCall"/>.</param>
    /// <param name="valid">Positions of this page that each query may see, 0 … 64; with 0 its partial
    /// result means nothing.</param>
    /// <param name="scratch"><see cref="ScratchFloats"/>, finite.</param>
    /// <param name="partials">Destination, <c>[QueriesPerCall, PartialStride]</c>; what lies behind the queries' own is
    /// overwritten.</param>
    public abstract void Page(
        in HeadPage page, int headDim, float** queries, int count, int* valid, float* scratch, float* partials);

    /// <summary>Merges the next page's partial result into the running one.</summary>
    public abstract void Merge(float* running, float* next, int headDim);

    /// <summary>Writes the finished result, <c>[headDim]</c>.</summary>
    public abstract void Finish(float* running, float* output, int headDim);
}

/// <inheritdoc/>
/// <param name="halves">Products of halves.</param>
/// <param name="floats">Products of floats.</param>
internal sealed unsafe class AttentionKernel<TLanes>(QueryProduct halves, QueryProduct floats) : AttentionKernel
    where TLanes : struct, ILanes<TLanes>
{
    private const int Positions = KvPage.Positions;
    private const int PrefetchElements = 1024;

    /// <summary>All in C#.</summary>
    public AttentionKernel()
        : this(new CompiledQueryProduct<TLanes, HalfElements<TLanes>>(), new CompiledQueryProduct<TLanes, FloatElements<TLanes>>())
    {
    }

    /// <inheritdoc/>
    public override int MaxHalfQueries => halves.MaxHalfQueries;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Widen(ushort* source, float* destination, int count)
    {
        for (var i = 0; i < count; i += 32)
        {
            if (Sse.IsSupported)
            {
                Sse.Prefetch0(source + i + PrefetchElements);
            }

            TLanes.Store(TLanes.LoadHalf(ref source[i]), ref destination[i]);
            TLanes.Store(TLanes.LoadHalf(ref source[i + 16]), ref destination[i + 16]);
        }
    }

    /// <inheritdoc/>
    public override void Page(
        in HeadPage page, int headDim, float** queries, int count, int* valid, float* scratch, float* partials)
    {
        var longest = 0;
        for (var query = 0; query < count; query++)
        {
            longest = Math.Max(longest, valid[query]);
            Copy(queries[query], scratch + (query * QueryStride), headDim);
        }

        var (product, bytes) = page.Format == KvFormat.F16 ? (halves, sizeof(ushort)) : (floats, sizeof(float));
        var scores = scratch + (QueriesPerCall * QueryStride);
        var keys = new QueryPart
        {
            Rows = page.Keys,
            RowStride = 16 * bytes,
            VectorStride = 16 * headDim * bytes,
            Count = headDim,
            Weights = scratch,
            Output = scores,
            OutputStride = QueryStride,
            Prefetch = page.Next,
        };
        product.Run(keys, Positions / 16, count);
        var stride = PartialStride(headDim);
        for (var query = 0; query < count; query++)
        {
            Weigh(scores + (query * QueryStride), valid[query], partials + (query * stride) + headDim);
        }

        var values = new QueryPart
        {
            Rows = page.Values,
            RowStride = headDim * bytes,
            VectorStride = 16 * bytes,
            Count = longest,
            Weights = scores,
            Output = partials,
            OutputStride = stride,
            Prefetch = page.Next is null ? null : page.Next + (page.Values - page.Keys),
        };
        product.Run(values, headDim / 16, count);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Merge(float* running, float* next, int headDim)
    {
        var largest = running[headDim] > next[headDim] ? running[headDim] : next[headDim];
        var keep = LaneMath.Exp(TLanes.Create(running[headDim] - largest));
        var take = LaneMath.Exp(TLanes.Create(next[headDim] - largest));
        for (var dim = 0; dim <= headDim; dim += 16)
        {
            // The last step covers m and l: l is merged like o, m is set below.
            var sum = TLanes.MultiplyAdd(TLanes.Load(ref next[dim]), take, TLanes.Load(ref running[dim]) * keep);
            TLanes.Store(sum, ref running[dim]);
        }

        running[headDim] = largest;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Finish(float* running, float* output, int headDim)
    {
        var inverse = TLanes.Create(1f / running[headDim + 1]);
        for (var dim = 0; dim < headDim; dim += 16)
        {
            TLanes.Store(TLanes.Load(ref running[dim]) * inverse, ref output[dim]);
        }
    }

    private static void Copy(float* source, float* destination, int count)
    {
        for (var i = 0; i < count; i += 16)
        {
            TLanes.Store(TLanes.Load(ref source[i]), ref destination[i]);
        }
    }

    /// <summary>Turns scores into e^(score - largest), zero beyond <paramref name="valid"/>; writes the largest score and the
    /// sum of the weights to <paramref name="tail"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Weigh(float* scores, int valid, float* tail)
    {
        if (valid < Positions)
        {
            var unseen = new Span<float>(scores + valid, Positions - valid);
            unseen.Fill(valid == 0 ? 0f : scores[0]);
        }

        var largest = TLanes.MaxAcross(TLanes.Max(
            TLanes.Max(TLanes.Load(ref scores[0]), TLanes.Load(ref scores[16])),
            TLanes.Max(TLanes.Load(ref scores[32]), TLanes.Load(ref scores[48]))));
        var shift = TLanes.Create(largest);
        for (var i = 0; i < Positions; i += 16)
        {
            TLanes.Store(LaneMath.Exp(TLanes.Load(ref scores[i]) - shift), ref scores[i]);
        }

        if (valid < Positions)
        {
            new Span<float>(scores + valid, Positions - valid).Clear();
        }

        tail[0] = largest;
        tail[1] = TLanes.Sum(TLanes.Load(ref scores[0]) + TLanes.Load(ref scores[16]) + TLanes.Load(ref scores[32]) + TLanes.Load(ref scores[48]));
    }
}
