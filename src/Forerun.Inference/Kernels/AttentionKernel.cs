using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;
using Forerun.Inference.Execution;

namespace Forerun.Inference.Kernels;

/// <summary>Attention of up to four queries over one page of 64 positions, and the merging of pages in order.</summary>
/// <remarks>A page yields (largest score m, sum l of e^(score - m), sum o of e^(score - m) · value); pages are merged
/// one after the other from position 0, so the result does not depend on who computed which page, or when.
/// Flash-decoding over fixed pages: Dao et al. 2022, arXiv 2205.14135, section 3.1.</remarks>
internal abstract unsafe class AttentionKernel
{
    /// <summary>Queries handled together.</summary>
    public const int QueriesPerCall = 4;

    /// <summary>Floats of one partial result: o <c>[headDim]</c>, then m, l and padding.</summary>
    public static int PartialStride(int headDim) => headDim + 16;

    /// <summary>Widens a page of halves, count a multiple of 32.</summary>
    public abstract void Widen(ushort* source, float* destination, int count);

    /// <summary>Partial results of four queries over one page.</summary>
    /// <param name="page">Keys and values.</param>
    /// <param name="headDim">A multiple of 16.</param>
    /// <param name="queries">Four rotated, scaled queries <c>[headDim]</c>; repeat one where there are fewer.</param>
    /// <param name="valid">Positions of this page that each query may see, 0 … 64; with 0 its partial
    /// result means nothing.</param>
    /// <param name="scores">Scratch, <c>[4, 64]</c>.</param>
    /// <param name="partials">Destination, <c>[4, PartialStride]</c>.</param>
    public abstract void Page(
        in HeadPage page, int headDim, float** queries, int* valid, float* scores, float* partials);

    /// <summary>Merges the next page's partial result into the running one.</summary>
    public abstract void Merge(float* running, float* next, int headDim);

    /// <summary>Writes the finished result, <c>[headDim]</c>.</summary>
    public abstract void Finish(float* running, float* output, int headDim);
}

/// <inheritdoc/>
internal sealed unsafe class AttentionKernel<TLanes> : AttentionKernel
    where TLanes : struct, ILanes<TLanes>
{
    private const int Positions = KvPage.Positions;
    private const int PrefetchElements = 1024;

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
        in HeadPage page, int headDim, float** queries, int* valid, float* scores, float* partials)
    {
        if (page.Format == KvFormat.F16)
        {
            Page<HalfElements<TLanes>>(page, headDim, queries, valid, scores, partials);
        }
        else
        {
            Page<FloatElements<TLanes>>(page, headDim, queries, valid, scores, partials);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Merge(float* running, float* next, int headDim)
    {
        var largest = MathF.Max(running[headDim], next[headDim]);
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

    private static void Page<TElements>(
        in HeadPage page, int headDim, float** queries, int* valid, float* scores, float* partials)
        where TElements : struct, IPageElements<TLanes>
    {
        var longest = Math.Max(Math.Max(valid[0], valid[1]), Math.Max(valid[2], valid[3]));
        var stride = PartialStride(headDim);
        QuadProduct<TLanes, TElements>.Run(
            page.Keys, 16, 16 * headDim, (longest + 15) / 16, headDim, queries, scores, Positions, page.Next);
        var weights = stackalloc float*[QueriesPerCall];
        for (var query = 0; query < QueriesPerCall; query++)
        {
            weights[query] = scores + (query * Positions);
            var tail = partials + (query * stride) + headDim;
            (tail[0], tail[1]) = Weigh(weights[query], valid[query]);
        }

        var next = page.Next is null ? null : page.Next + (page.Values - page.Keys);
        QuadProduct<TLanes, TElements>.Run(
            page.Values, headDim, 16, headDim / 16, longest, weights, partials, stride, next);
    }

    /// <summary>Turns scores into e^(score - largest), zero beyond <paramref name="valid"/>.</summary>
    /// <returns>The largest score and the sum of the weights.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static (float Largest, float Sum) Weigh(float* scores, int valid)
    {
        if (valid == 0)
        {
            new Span<float>(scores, Positions).Clear();
            return default;
        }

        var padded = (valid + 15) & ~15;
        new Span<float>(scores + valid, Positions - valid).Fill(scores[0]);
        var largest = TLanes.Create(scores[0]);
        for (var i = 0; i < padded; i += 16)
        {
            largest = TLanes.Max(largest, TLanes.Load(ref scores[i]));
        }

        var m = TLanes.MaxAcross(largest);
        var shift = TLanes.Create(m);
        for (var i = 0; i < padded; i += 16)
        {
            TLanes.Store(LaneMath.Exp(TLanes.Load(ref scores[i]) - shift), ref scores[i]);
        }

        new Span<float>(scores + valid, Positions - valid).Clear();
        var sum = TLanes.Create(0f);
        for (var i = 0; i < padded; i += 16)
        {
            sum += TLanes.Load(ref scores[i]);
        }

        return (m, TLanes.Sum(sum));
    }
}
