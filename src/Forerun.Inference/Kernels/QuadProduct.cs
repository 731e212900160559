using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Four weighted sums of the same rows: <c>output[q, :] = Σ_i b[q][i] · a[i, :]</c>, i in order. Scores are this
/// over head dimensions, attention's outputs are this over positions.</summary>
internal static unsafe class QuadProduct<TLanes, TElements>
    where TLanes : struct, ILanes<TLanes>
    where TElements : struct, IPageElements<TLanes>
{
    /// <summary>Computes <paramref name="vectors"/> vectors of 16 columns.</summary>
    /// <param name="a">First row.</param>
    /// <param name="rowStride">Elements from one row to the next.</param>
    /// <param name="vectorStride">Elements from one vector of a row to the next.</param>
    /// <param name="vectors">Vectors per row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="b">Four weights per row, <c>[4][count]</c>.</param>
    /// <param name="output">Destination, <c>[4, outputStride]</c>, vectors next to each other.</param>
    /// <param name="outputStride">Floats from one of the four to the next.</param>
    /// <param name="prefetch">What will be needed next: as many lines as there are steps; null = nothing.</param>
    public static void Run(
        byte* a,
        int rowStride,
        int vectorStride,
        int vectors,
        int count,
        float** b,
        float* output,
        int outputStride,
        byte* prefetch)
    {
        rowStride *= TElements.Bytes;
        vectorStride *= TElements.Bytes;

        // A page has as many lines of halves as there are steps with one register.
        var line = prefetch is null ? 0 : 64 / TLanes.Registers;
        prefetch = prefetch is null ? a : prefetch;
        var vector = 0;
        if (TLanes.Registers == 1)
        {
            for (; vector + 2 <= vectors; vector += 2)
            {
                var pair = a + (vector * vectorStride);
                Two(pair, rowStride, vectorStride, count, b, output + (vector * 16), outputStride, prefetch, line);
                prefetch += line * count;
            }
        }

        for (; vector < vectors; vector++)
        {
            var single = a + (vector * vectorStride);
            One(single, rowStride, count, b, output + (vector * 16), outputStride, prefetch, line);
            prefetch += line * count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Two(
        byte* a,
        int rowStride,
        int vectorStride,
        int count,
        float** b,
        float* output,
        int outputStride,
        byte* prefetch,
        int line)
    {
        float* b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        TLanes x0 = TLanes.Create(0f), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
        for (var i = 0; i < count; i++, a += rowStride)
        {
            Prefetch(ref prefetch, line);
            var x = TElements.Load(a);
            var y = TElements.Load(a + vectorStride);
            var w = TLanes.Create(b0[i]);
            x0 = TLanes.MultiplyAdd(x, w, x0);
            y0 = TLanes.MultiplyAdd(y, w, y0);
            w = TLanes.Create(b1[i]);
            x1 = TLanes.MultiplyAdd(x, w, x1);
            y1 = TLanes.MultiplyAdd(y, w, y1);
            w = TLanes.Create(b2[i]);
            x2 = TLanes.MultiplyAdd(x, w, x2);
            y2 = TLanes.MultiplyAdd(y, w, y2);
            w = TLanes.Create(b3[i]);
            x3 = TLanes.MultiplyAdd(x, w, x3);
            y3 = TLanes.MultiplyAdd(y, w, y3);
        }

        Store(x0, x1, x2, x3, output, outputStride);
        Store(y0, y1, y2, y3, output + 16, outputStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void One(
        byte* a, int rowStride, int count, float** b, float* output, int outputStride, byte* prefetch, int line)
    {
        float* b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        TLanes x0 = TLanes.Create(0f), x1 = x0, x2 = x0, x3 = x0;
        for (var i = 0; i < count; i++, a += rowStride)
        {
            Prefetch(ref prefetch, line);
            var x = TElements.Load(a);
            x0 = TLanes.MultiplyAdd(x, TLanes.Create(b0[i]), x0);
            x1 = TLanes.MultiplyAdd(x, TLanes.Create(b1[i]), x1);
            x2 = TLanes.MultiplyAdd(x, TLanes.Create(b2[i]), x2);
            x3 = TLanes.MultiplyAdd(x, TLanes.Create(b3[i]), x3);
        }

        Store(x0, x1, x2, x3, output, outputStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(ref byte* lines, int line)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(lines);
            lines += line;
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
