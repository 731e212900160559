using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>The innermost loop of the engine: part of a weight tile against 1 … 8 activation rows.</summary>
/// <remarks>One loaded weight serves all activation rows. Per output: 32 columns are summed exactly in integers,
/// scaled, and added in order inside a slice of 512 columns; slices are added in order. The accumulators are separate
/// locals, and the steps are written out, because only locals that nothing refers to live in registers: passing them by
/// reference to one shared step costs 10-25 %.</remarks>
internal static unsafe class TileKernel<TDot, TAccumulator, TWeights, TFloats, TFloat>
    where TDot : struct, ITileDot<TAccumulator, TFloat, TWeights>
    where TAccumulator : struct
    where TWeights : struct
    where TFloats : struct, IRowFloats<TFloat>
    where TFloat : struct
{
    /// <summary>Multiplies blocks of a tile, from the start of a slice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<TFormat, TRows>(TilePart* part)
        where TFormat : struct, ITileFormat
        where TRows : struct, IRowCount
    {
        var quants = part->Quants;
        var scales = part->Scales;
        var activation = part->Activation;
        var output = part->Output;
        var outputStride = part->OutputStride;
        var accumulate = part->Accumulate != 0;
        var prefetch = part->Prefetch;
        var prefetchBytes = part->PrefetchBytes;
        var sums = part->Sums;
        for (var blockCount = part->BlockCount; blockCount > 0; blockCount -= WeightMatrix.SliceBlocks, accumulate = true)
        {
            var sliceBlocks = Math.Min(blockCount, WeightMatrix.SliceBlocks);
            SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Clear<TRows>(sums);
            TFloat f0 = default, f1 = default, f2 = default, f3 = default, f4 = default, f5 = default, f6 = default, f7 = default;
            for (var block = 0; block < sliceBlocks; block++)
            {
                for (var line = 0; line < prefetchBytes; line += 64)
                {
                    if (Sse.IsSupported)
                    {
                        Sse.Prefetch0(prefetch + line);
                    }
                }

                prefetch += prefetchBytes;
                TAccumulator i0 = default, i1 = default, i2 = default, i3 = default, i4 = default, i5 = default, i6 = default, i7 = default;
                var w0 = TDot.Load<TFormat>(quants, 0);
                var x0 = activation + (0 * 4 * TRows.Count);
                i0 = TDot.Add<TFormat>(i0, w0, x0 + 0, x0 + (4 * TRows.Count) + 0);
                if (TRows.Count > 1)
                {
                    i1 = TDot.Add<TFormat>(i1, w0, x0 + 4, x0 + (4 * TRows.Count) + 4);
                }

                if (TRows.Count > 2)
                {
                    i2 = TDot.Add<TFormat>(i2, w0, x0 + 8, x0 + (4 * TRows.Count) + 8);
                }

                if (TRows.Count > 3)
                {
                    i3 = TDot.Add<TFormat>(i3, w0, x0 + 12, x0 + (4 * TRows.Count) + 12);
                }

                if (TRows.Count > 4)
                {
                    i4 = TDot.Add<TFormat>(i4, w0, x0 + 16, x0 + (4 * TRows.Count) + 16);
                }

                if (TRows.Count > 5)
                {
                    i5 = TDot.Add<TFormat>(i5, w0, x0 + 20, x0 + (4 * TRows.Count) + 20);
                }

                if (TRows.Count > 6)
                {
                    i6 = TDot.Add<TFormat>(i6, w0, x0 + 24, x0 + (4 * TRows.Count) + 24);
                }

                if (TRows.Count > 7)
                {
                    i7 = TDot.Add<TFormat>(i7, w0, x0 + 28, x0 + (4 * TRows.Count) + 28);
                }

                var w1 = TDot.Load<TFormat>(quants, 1);
                var x1 = activation + (2 * 4 * TRows.Count);
                i0 = TDot.Add<TFormat>(i0, w1, x1 + 0, x1 + (4 * TRows.Count) + 0);
                if (TRows.Count > 1)
                {
                    i1 = TDot.Add<TFormat>(i1, w1, x1 + 4, x1 + (4 * TRows.Count) + 4);
                }

                if (TRows.Count > 2)
                {
                    i2 = TDot.Add<TFormat>(i2, w1, x1 + 8, x1 + (4 * TRows.Count) + 8);
                }

                if (TRows.Count > 3)
                {
                    i3 = TDot.Add<TFormat>(i3, w1, x1 + 12, x1 + (4 * TRows.Count) + 12);
                }

                if (TRows.Count > 4)
                {
                    i4 = TDot.Add<TFormat>(i4, w1, x1 + 16, x1 + (4 * TRows.Count) + 16);
                }

                if (TRows.Count > 5)
                {
                    i5 = TDot.Add<TFormat>(i5, w1, x1 + 20, x1 + (4 * TRows.Count) + 20);
                }

                if (TRows.Count > 6)
                {
                    i6 = TDot.Add<TFormat>(i6, w1, x1 + 24, x1 + (4 * TRows.Count) + 24);
                }

                if (TRows.Count > 7)
                {
                    i7 = TDot.Add<TFormat>(i7, w1, x1 + 28, x1 + (4 * TRows.Count) + 28);
                }

                var w2 = TDot.Load<TFormat>(quants, 2);
                var x2 = activation + (4 * 4 * TRows.Count);
                i0 = TDot.Add<TFormat>(i0, w2, x2 + 0, x2 + (4 * TRows.Count) + 0);
                if (TRows.Count > 1)
                {
                    i1 = TDot.Add<TFormat>(i1, w2, x2 + 4, x2 + (4 * TRows.Count) + 4);
                }

                if (TRows.Count > 2)
                {
                    i2 = TDot.Add<TFormat>(i2, w2, x2 + 8, x2 + (4 * TRows.Count) + 8);
                }

                if (TRows.Count > 3)
                {
                    i3 = TDot.Add<TFormat>(i3, w2, x2 + 12, x2 + (4 * TRows.Count) + 12);
                }

                if (TRows.Count > 4)
                {
                    i4 = TDot.Add<TFormat>(i4, w2, x2 + 16, x2 + (4 * TRows.Count) + 16);
                }

                if (TRows.Count > 5)
                {
                    i5 = TDot.Add<TFormat>(i5, w2, x2 + 20, x2 + (4 * TRows.Count) + 20);
                }

                if (TRows.Count > 6)
                {
                    i6 = TDot.Add<TFormat>(i6, w2, x2 + 24, x2 + (4 * TRows.Count) + 24);
                }

                if (TRows.Count > 7)
                {
                    i7 = TDot.Add<TFormat>(i7, w2, x2 + 28, x2 + (4 * TRows.Count) + 28);
                }

                var w3 = TDot.Load<TFormat>(quants, 3);
                var x3 = activation + (6 * 4 * TRows.Count);
                i0 = TDot.Add<TFormat>(i0, w3, x3 + 0, x3 + (4 * TRows.Count) + 0);
                if (TRows.Count > 1)
                {
                    i1 = TDot.Add<TFormat>(i1, w3, x3 + 4, x3 + (4 * TRows.Count) + 4);
                }

                if (TRows.Count > 2)
                {
                    i2 = TDot.Add<TFormat>(i2, w3, x3 + 8, x3 + (4 * TRows.Count) + 8);
                }

                if (TRows.Count > 3)
                {
                    i3 = TDot.Add<TFormat>(i3, w3, x3 + 12, x3 + (4 * TRows.Count) + 12);
                }

                if (TRows.Count > 4)
                {
                    i4 = TDot.Add<TFormat>(i4, w3, x3 + 16, x3 + (4 * TRows.Count) + 16);
                }

                if (TRows.Count > 5)
                {
                    i5 = TDot.Add<TFormat>(i5, w3, x3 + 20, x3 + (4 * TRows.Count) + 20);
                }

                if (TRows.Count > 6)
                {
                    i6 = TDot.Add<TFormat>(i6, w3, x3 + 24, x3 + (4 * TRows.Count) + 24);
                }

                if (TRows.Count > 7)
                {
                    i7 = TDot.Add<TFormat>(i7, w3, x3 + 28, x3 + (4 * TRows.Count) + 28);
                }

                var scale = TFloats.LoadHalf(scales);
                var minimum = TFormat.HasMinimum ? TFloats.LoadHalf(scales + 16) : default;
                var factors = (float*)(activation + (32 * TRows.Count));
                f0 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i0, factors + 0, scale, minimum, f0, sums + (0 * TDot.Rows));
                if (TRows.Count > 1)
                {
                    f1 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i1, factors + 1, scale, minimum, f1, sums + (1 * TDot.Rows));
                }

                if (TRows.Count > 2)
                {
                    f2 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i2, factors + 2, scale, minimum, f2, sums + (2 * TDot.Rows));
                }

                if (TRows.Count > 3)
                {
                    f3 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i3, factors + 3, scale, minimum, f3, sums + (3 * TDot.Rows));
                }

                if (TRows.Count > 4)
                {
                    f4 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i4, factors + 4, scale, minimum, f4, sums + (4 * TDot.Rows));
                }

                if (TRows.Count > 5)
                {
                    f5 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i5, factors + 5, scale, minimum, f5, sums + (5 * TDot.Rows));
                }

                if (TRows.Count > 6)
                {
                    f6 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i6, factors + 6, scale, minimum, f6, sums + (6 * TDot.Rows));
                }

                if (TRows.Count > 7)
                {
                    f7 = SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.AddBlock<TFormat, TRows>(i7, factors + 7, scale, minimum, f7, sums + (7 * TDot.Rows));
                }

                quants += TFormat.Nibbles ? 256 : 512;
                scales += TFormat.HasMinimum ? 32 : 16;
                activation += ActivationBlocks.BytesPerRow * TRows.Count;
            }

            SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f0, sums + (0 * TDot.Rows), output + (0 * outputStride), accumulate);
            if (TRows.Count > 1)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f1, sums + (1 * TDot.Rows), output + (1 * outputStride), accumulate);
            }

            if (TRows.Count > 2)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f2, sums + (2 * TDot.Rows), output + (2 * outputStride), accumulate);
            }

            if (TRows.Count > 3)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f3, sums + (3 * TDot.Rows), output + (3 * outputStride), accumulate);
            }

            if (TRows.Count > 4)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f4, sums + (4 * TDot.Rows), output + (4 * outputStride), accumulate);
            }

            if (TRows.Count > 5)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f5, sums + (5 * TDot.Rows), output + (5 * outputStride), accumulate);
            }

            if (TRows.Count > 6)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f6, sums + (6 * TDot.Rows), output + (6 * outputStride), accumulate);
            }

            if (TRows.Count > 7)
            {
                SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>.Finish<TRows>(f7, sums + (7 * TDot.Rows), output + (7 * outputStride), accumulate);
            }
        }
    }
}
