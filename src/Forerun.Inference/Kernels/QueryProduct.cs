using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Weighted sums of the same rows for up to eight queries: <c>output[q, :] = Σ_i b[q, i] · a[i, :]</c>, i in order.
/// Scores are this over head dimensions, attention's outputs are this over positions.</summary>
/// <remarks>Four or eight queries share what is read, and four or two of its vectors share their weights. The accumulators are
/// separate locals and the steps written out, for the same reason as in
/// <see cref="TileKernel{TDot, TAccumulator, TWeights, TFloats, TFloat}"/>.</remarks>
internal static unsafe class QueryProduct<TLanes, TElements>
    where TLanes : struct, ILanes<TLanes>
    where TElements : struct, IPageElements<TLanes>
{
    /// <summary>Floats from one query's weights to the next query's: a constant, so that all are found from one address.</summary>
    public const int WeightStride = AttentionKernel.QueryStride;

    /// <summary>Computes <paramref name="vectors"/> vectors of 16 columns.</summary>
    /// <param name="a">First row.</param>
    /// <param name="rowStride">Elements from one row to the next.</param>
    /// <param name="vectorStride">Elements from one vector of a row to the next.</param>
    /// <param name="vectors">Vectors per row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="b">A weight per query and row, <c>[queries, WeightStride]</c>; read up to a multiple of four queries.</param>
    /// <param name="queries">1 … 8.</param>
    /// <param name="output">Destination, <c>[queries, outputStride]</c>, vectors next to each other; written up to a
    /// multiple of four queries.</param>
    /// <param name="outputStride">Floats from one query to the next.</param>
    /// <param name="prefetch">What will be needed next: as many bytes as halves are read here; null = nothing.</param>
    public static void Run(
        byte* a,
        int rowStride,
        int vectorStride,
        int vectors,
        int count,
        float* b,
        int queries,
        float* output,
        int outputStride,
        byte* prefetch)
    {
        rowStride *= TElements.Bytes;
        vectorStride *= TElements.Bytes;
        var line = prefetch is null ? 0 : 64;
        prefetch = prefetch is null ? a : prefetch;
        var vector = 0;
        if (TLanes.Registers == 1)
        {
            // Sixteen sums, each in a register, hide how long a multiply-add takes.
            for (var step = queries > 4 ? 2 : 4; vector + step <= vectors; vector += step)
            {
                var start = a + (vector * vectorStride);
                var sums = output + (vector * 16);
                if (step == 2)
                {
                    TwoVectors(start, rowStride, vectorStride, count, b, sums, outputStride, prefetch, line);
                }
                else
                {
                    FourVectors(start, rowStride, vectorStride, count, b, sums, outputStride, prefetch, line);
                }

                prefetch += line / 2 * step * count;
            }
        }

        for (; vector < vectors; vector++, prefetch += line / 2 * count)
        {
            for (var query = 0; query < queries; query += 4)
            {
                var sums = output + (query * outputStride) + (vector * 16);
                OneVector(
                    a + (vector * vectorStride), rowStride, count, b + (query * WeightStride), sums, outputStride, prefetch, line);
            }
        }
    }

    /// <summary>Four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void FourVectors(
        byte* a, int rowStride, int vectorStride, int count, float* b, float* output, int outputStride, byte* prefetch, int line)
    {
        TLanes x0 = default, x1 = default, x2 = default, x3 = default, y0 = default, y1 = default, y2 = default, y3 = default;
        TLanes z0 = default, z1 = default, z2 = default, z3 = default, u0 = default, u1 = default, u2 = default, u3 = default;
        for (var end = b + count; b < end; b++, a += rowStride)
        {
            Prefetch(ref prefetch, line);
            Prefetch(ref prefetch, line);
            var x = TElements.Load(a);
            var y = TElements.Load(a + vectorStride);
            var z = TElements.Load(a + (2 * vectorStride));
            var u = TElements.Load(a + (3 * vectorStride));
            var w = TLanes.Create(b[0]);
            x0 = TLanes.MultiplyAdd(x, w, x0);
            y0 = TLanes.MultiplyAdd(y, w, y0);
            z0 = TLanes.MultiplyAdd(z, w, z0);
            u0 = TLanes.MultiplyAdd(u, w, u0);
            w = TLanes.Create(b[1 * WeightStride]);
            x1 = TLanes.MultiplyAdd(x, w, x1);
            y1 = TLanes.MultiplyAdd(y, w, y1);
            z1 = TLanes.MultiplyAdd(z, w, z1);
            u1 = TLanes.MultiplyAdd(u, w, u1);
            w = TLanes.Create(b[2 * WeightStride]);
            x2 = TLanes.MultiplyAdd(x, w, x2);
            y2 = TLanes.MultiplyAdd(y, w, y2);
            z2 = TLanes.MultiplyAdd(z, w, z2);
            u2 = TLanes.MultiplyAdd(u, w, u2);
            w = TLanes.Create(b[3 * WeightStride]);
            x3 = TLanes.MultiplyAdd(x, w, x3);
            y3 = TLanes.MultiplyAdd(y, w, y3);
            z3 = TLanes.MultiplyAdd(z, w, z3);
            u3 = TLanes.MultiplyAdd(u, w, u3);
        }

        Store(x0, x1, x2, x3, output, outputStride);
        Store(y0, y1, y2, y3, output + 16, outputStride);
        Store(z0, z1, z2, z3, output + 32, outputStride);
        Store(u0, u1, u2, u3, output + 48, outputStride);
    }

    /// <summary>Eight queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void TwoVectors(
        byte* a, int rowStride, int vectorStride, int count, float* b, float* output, int outputStride, byte* prefetch, int line)
    {
        TLanes x0 = default, x1 = default, x2 = default, x3 = default, x4 = default, x5 = default, x6 = default, x7 = default;
        TLanes y0 = default, y1 = default, y2 = default, y3 = default, y4 = default, y5 = default, y6 = default, y7 = default;
        for (var end = b + count; b < end; b++, a += rowStride)
        {
            Prefetch(ref prefetch, line);
            var x = TElements.Load(a);
            var y = TElements.Load(a + vectorStride);
            var w = TLanes.Create(b[0]);
            x0 = TLanes.MultiplyAdd(x, w, x0);
            y0 = TLanes.MultiplyAdd(y, w, y0);
            w = TLanes.Create(b[1 * WeightStride]);
            x1 = TLanes.MultiplyAdd(x, w, x1);
            y1 = TLanes.MultiplyAdd(y, w, y1);
            w = TLanes.Create(b[2 * WeightStride]);
            x2 = TLanes.MultiplyAdd(x, w, x2);
            y2 = TLanes.MultiplyAdd(y, w, y2);
            w = TLanes.Create(b[3 * WeightStride]);
            x3 = TLanes.MultiplyAdd(x, w, x3);
            y3 = TLanes.MultiplyAdd(y, w, y3);
            w = TLanes.Create(b[4 * WeightStride]);
            x4 = TLanes.MultiplyAdd(x, w, x4);
            y4 = TLanes.MultiplyAdd(y, w, y4);
            w = TLanes.Create(b[5 * WeightStride]);
            x5 = TLanes.MultiplyAdd(x, w, x5);
            y5 = TLanes.MultiplyAdd(y, w, y5);
            w = TLanes.Create(b[6 * WeightStride]);
            x6 = TLanes.MultiplyAdd(x, w, x6);
            y6 = TLanes.MultiplyAdd(y, w, y6);
            w = TLanes.Create(b[7 * WeightStride]);
            x7 = TLanes.MultiplyAdd(x, w, x7);
            y7 = TLanes.MultiplyAdd(y, w, y7);
        }

        Store(x0, x1, x2, x3, output, outputStride);
        Store(y0, y1, y2, y3, output + 16, outputStride);
        Store(x4, x5, x6, x7, output + (4 * outputStride), outputStride);
        Store(y4, y5, y6, y7, output + (4 * outputStride) + 16, outputStride);
    }

    /// <summary>Four queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void OneVector(
        byte* a, int rowStride, int count, float* b, float* output, int outputStride, byte* prefetch, int line)
    {
        TLanes x0 = default, x1 = default, x2 = default, x3 = default;
        for (var end = b + count; b < end; b++, a += rowStride)
        {
            Prefetch(ref prefetch, line / 2);
            var x = TElements.Load(a);
            x0 = TLanes.MultiplyAdd(x, TLanes.Create(b[0]), x0);
            x1 = TLanes.MultiplyAdd(x, TLanes.Create(b[1 * WeightStride]), x1);
            x2 = TLanes.MultiplyAdd(x, TLanes.Create(b[2 * WeightStride]), x2);
            x3 = TLanes.MultiplyAdd(x, TLanes.Create(b[3 * WeightStride]), x3);
        }

        Store(x0, x1, x2, x3, output, outputStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(ref byte* next, int step)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(next);
            next += step;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TLanes a, TLanes b, TLanes c, TLanes d, float* output, int stride)
    {
        TLanes.Store(a, ref *output);
        TLanes.Store(b, ref output[stride]);
        TLanes.Store(c, ref output[2 * stride]);
        TLanes.Store(d, ref output[3 * stride]);
    }
}
