using System.Runtime.CompilerServices;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Four weighted sums of the same rows: <c>output[q, :] = Σ_i b[q][i] · a[i, :]</c>, i in order. Scores are this
/// over head dimensions, attention's outputs are this over positions.</summary>
internal static unsafe class QuadProduct<TLanes>
    where TLanes : struct, ILanes<TLanes>
{
    /// <summary>Computes <paramref name="vectors"/> vectors of 16 columns.</summary>
    /// <param name="a">First row.</param>
    /// <param name="rowStride">Floats from one row to the next.</param>
    /// <param name="vectorStride">Floats from one vector of a row to the next.</param>
    /// <param name="vectors">Vectors per row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="b">Four weights per row, <c>[4][count]</c>.</param>
    /// <param name="output">Destination, <c>[4, outputStride]</c>, vectors next to each other.</param>
    /// <param name="outputStride">Floats from one of the four to the next.</param>
    public static void Run(
        float* a, int rowStride, int vectorStride, int vectors, int count, float** b, float* output, int outputStride)
    {
        var vector = 0;
        if (TLanes.Registers == 1)
        {
            for (; vector + 2 <= vectors; vector += 2)
            {
                Two(a + (vector * vectorStride), rowStride, vectorStride, count, b, output + (vector * 16), outputStride);
            }
        }

        for (; vector < vectors; vector++)
        {
            One(a + (vector * vectorStride), rowStride, count, b, output + (vector * 16), outputStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(
        float* a, int rowStride, int vectorStride, int count, float** b, float* output, int outputStride)
    {
        float* b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        TLanes x0 = TLanes.Create(0f), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
        for (var i = 0; i < count; i++, a += rowStride)
        {
            var x = TLanes.Load(ref *a);
            var y = TLanes.Load(ref a[vectorStride]);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(float* a, int rowStride, int count, float** b, float* output, int outputStride)
    {
        float* b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
        TLanes x0 = TLanes.Create(0f), x1 = x0, x2 = x0, x3 = x0;
        for (var i = 0; i < count; i++, a += rowStride)
        {
            var x = TLanes.Load(ref *a);
            x0 = TLanes.MultiplyAdd(x, TLanes.Create(b0[i]), x0);
            x1 = TLanes.MultiplyAdd(x, TLanes.Create(b1[i]), x1);
            x2 = TLanes.MultiplyAdd(x, TLanes.Create(b2[i]), x2);
            x3 = TLanes.MultiplyAdd(x, TLanes.Create(b3[i]), x3);
        }

        Store(x0, x1, x2, x3, output, outputStride);
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
