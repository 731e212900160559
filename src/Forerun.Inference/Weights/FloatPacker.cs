namespace Forerun.Inference.Weights;

/// <summary>Brings float weights into tiles: as they are (F32), or rounded to 8 bits (Q8) or
/// 4 bits (Q4Minimum).</summary>
internal static unsafe class FloatPacker
{
    /// <summary>Packs a matrix, <c>[rows, columns]</c> row-major.</summary>
    public static WeightMatrix Pack(ReadOnlySpan<float> values, MatrixLayout layout, WeightArena arena)
    {
        var matrix = new WeightMatrix(layout, arena);
        var none = new float[layout.Columns];
        for (var row = 0; row < layout.TileCount * WeightMatrix.TileRows; row++)
        {
            var source = row < layout.Rows ? values.Slice(row * layout.Columns, layout.Columns) : none;
            Pack(source, matrix, row / WeightMatrix.TileRows, row % WeightMatrix.TileRows);
        }

        return matrix;
    }

    /// <summary>Packs one row, <c>[columns]</c>.</summary>
    public static void Pack(ReadOnlySpan<float> values, WeightMatrix matrix, int tile, int row)
    {
        switch (matrix.Format)
        {
            case TileFormat.F32:
                var destination = (float*)matrix.Tile(tile) + row;
                for (var column = 0; column < values.Length; column++)
                {
                    destination[column * WeightMatrix.TileRows] = values[column];
                }

                break;
            case TileFormat.Q4Minimum:
                PackNibbles(values, matrix, tile, row);
                break;
            default:
                PackBytes(values, matrix, tile, row);
                break;
        }
    }

    /// <summary>Rounds a row, <c>[columns]</c>, to what <see cref="TileFormat.Q4Minimum"/> keeps of it.</summary>
    public static void RoundToNibbles(Span<float> values)
    {
        for (; !values.IsEmpty; values = values[MatrixLayout.BlockColumns..])
        {
            var block = values[..MatrixLayout.BlockColumns];
            var (scale, minimum) = NibbleScale(block);
            foreach (ref var value in block)
            {
                value = ((float)scale * Nibble(value, scale, minimum)) + (float)minimum;
            }
        }
    }

    /// <summary>Rounds to 4 bits per block: 0 is the smallest value, 15 the largest.</summary>
    private static void PackNibbles(ReadOnlySpan<float> values, WeightMatrix matrix, int tile, int row)
    {
        var quants = matrix.Tile(tile);
        var scales = matrix.Scales(tile);
        for (var block = 0; block < matrix.BlockCount; block++)
        {
            var part = values.Slice(block * MatrixLayout.BlockColumns, MatrixLayout.BlockColumns);
            var (scale, minimum) = NibbleScale(part);
            scales[row] = BitConverter.HalfToUInt16Bits(scale);
            scales[WeightMatrix.TileRows + row] = BitConverter.HalfToUInt16Bits(minimum);
            for (var i = 0; i < part.Length; i++)
            {
                // A byte holds a column of the even group (low) and one of the odd group (high).
                var quant = Nibble(part[i], scale, minimum);
                ref var two = ref quants[(i / 8 * 64) + (row * 4) + (i % 4)];
                two = (byte)(i % 8 < 4 ? quant : two | (quant << 4));
            }

            quants += matrix.BlockBytes;
            scales += matrix.ScalesPerBlock;
        }
    }

    private static (Half Scale, Half Minimum) NibbleScale(ReadOnlySpan<float> block)
    {
        var (smallest, largest) = (block[0], block[0]);
        foreach (var value in block)
        {
            (smallest, largest) = (MathF.Min(smallest, value), MathF.Max(largest, value));
        }

        return ((Half)((largest - smallest) / 15f), (Half)smallest);
    }

    private static int Nibble(float value, Half scale, Half minimum) => scale == Half.Zero
        ? 0
        : (int)MathF.Round(Math.Clamp((value - (float)minimum) / (float)scale, 0f, 15f));

    /// <summary>Rounds to 8 bits per block: scale = largest magnitude ÷ 127, in half precision.</summary>
    private static void PackBytes(ReadOnlySpan<float> values, WeightMatrix matrix, int tile, int row)
    {
        var quants = matrix.Tile(tile);
        var scales = matrix.Scales(tile);
        for (var block = 0; block < matrix.BlockCount; block++)
        {
            var part = values.Slice(block * 32, 32);
            var largest = 0f;
            foreach (var value in part)
            {
                largest = MathF.Max(largest, MathF.Abs(value));
            }

            var scale = (Half)(largest / 127f);
            var inverse = scale == Half.Zero ? 0f : 1f / (float)scale;
            scales[row] = BitConverter.HalfToUInt16Bits(scale);
            for (var i = 0; i < 32; i++)
            {
                var quant = (int)MathF.Round(Math.Clamp(part[i] * inverse, -127f, 127f));
                quants[(i / 4 * 64) + (row * 4) + (i % 4)] = (byte)(quant + 128);
            }

            quants += matrix.BlockBytes;
            scales += matrix.ScalesPerBlock;
        }
    }
}
