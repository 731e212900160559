using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;
using Forerun.Inference.Weights;

namespace Forerun.UnitTests.Inference.Kernels;

/// <summary>The integer matrix product written down plainly: one element after the other, additions in the order that
/// the kernels promise.</summary>
internal static unsafe class ScalarReference
{
    /// <summary>A row of activations as int8 blocks.</summary>
    public sealed record Row(sbyte[] Quants, float[] Factors, int[] Sums, float[] ScaledSums);

    public static Row Quantize(ReadOnlySpan<float> source)
    {
        var blocks = source.Length / 32;
        var row = new Row(new sbyte[source.Length], new float[blocks], new int[blocks], new float[blocks]);
        for (var block = 0; block < blocks; block++)
        {
            var largest = 0f;
            foreach (var value in source.Slice(block * 32, 32))
            {
                largest = MathF.Max(largest, MathF.Abs(value));
            }

            var inverse = largest >= ActivationBlocks.LeastMagnitude ? 127f / largest : 0f;
            for (var i = block * 32; i < (block + 1) * 32; i++)
            {
                row.Quants[i] = (sbyte)MathF.Round(source[i] * inverse, MidpointRounding.ToEven);
                row.Sums[block] += row.Quants[i];
            }

            row.Factors[block] = largest / 127f;
            row.ScaledSums[block] = row.Factors[block] * row.Sums[block];
        }

        return row;
    }

    /// <summary>One output element.</summary>
    public static float Dot(WeightMatrix weights, int weightRow, Row row)
    {
        var total = 0f;
        for (var first = 0; first < weights.BlockCount; first += 16)
        {
            var slice = 0f;
            for (var block = first; block < Math.Min(first + 16, weights.BlockCount); block++)
            {
                var dot = 0;
                for (var i = 0; i < 32; i++)
                {
                    dot += Quant(weights, weightRow, (block * 32) + i) * row.Quants[(block * 32) + i];
                }

                var scale = Scale(weights, weightRow, block) * row.Factors[block];
                slice = MathF.FusedMultiplyAdd(dot, scale, slice);
                if (weights.Format == TileFormat.Q4Minimum)
                {
                    slice = MathF.FusedMultiplyAdd(Minimum(weights, weightRow, block), row.ScaledSums[block], slice);
                }
            }

            total = first == 0 ? slice : total + slice;
        }

        return total;
    }

    /// <summary>A weight as a float.</summary>
    public static float Weight(WeightMatrix weights, int row, int column)
    {
        if (weights.Format == TileFormat.F32)
        {
            return ((float*)weights.Tile(row / 16))[(column * 16) + (row % 16)];
        }

        var product = Scale(weights, row, column / 32) * Quant(weights, row, column);
        return weights.Format == TileFormat.Q4Minimum ? product + Minimum(weights, row, column / 32) : product;
    }

    /// <summary>Copies managed floats into aligned memory.</summary>
    public static NativeBuffer Native(ReadOnlySpan<float> values)
    {
        var buffer = new NativeBuffer(4L * values.Length);
        values.CopyTo(new Span<float>(buffer.Floats, values.Length));
        return buffer;
    }

    private static int Quant(WeightMatrix weights, int row, int column)
    {
        var block = weights.Tile(row / 16) + ((long)(column / 32) * weights.BlockBytes);
        var (group, rest) = ((column % 32) / 4, column % 4);
        if (weights.Format == TileFormat.Q8)
        {
            return block[(group * 64) + (row % 16 * 4) + rest] - 128;
        }

        var pair = block[(group / 2 * 64) + (row % 16 * 4) + rest];
        var nibble = group % 2 == 0 ? pair & 15 : pair >> 4;
        return weights.Format == TileFormat.Q4 ? nibble - 8 : nibble;
    }

    private static float Scale(WeightMatrix weights, int row, int block) => Half(weights, row, block, 0);

    private static float Minimum(WeightMatrix weights, int row, int block) => Half(weights, row, block, 16);

    private static float Half(WeightMatrix weights, int row, int block, int offset) =>
        (float)BitConverter.UInt16BitsToHalf(
            weights.Scales(row / 16)[(block * weights.ScalesPerBlock) + offset + (row % 16)]);
}
