namespace Forerun.Inference.Weights;

/// <summary>Brings float weights into tiles: as they are (F32), or rounded to 8 bits (Q8).</summary>
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
        if (matrix.Format != TileFormat.F32)
        {
            PackRounded(values, matrix, tile, row);
            return;
        }

        var destination = (float*)matrix.Tile(tile) + row;
        for (var column = 0; column < values.Length; column++)
        {
            destination[column * WeightMatrix.TileRows] = values[column];
        }
    }

    /// <summary>Rounds to 8 bits per block: scale = largest magnitude ÷ 127, in half precision.</summary>
    private static void PackRounded(ReadOnlySpan<float> values, WeightMatrix matrix, int tile, int row)
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
