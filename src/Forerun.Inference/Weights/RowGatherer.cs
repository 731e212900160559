namespace Forerun.Inference.Weights;

/// <summary>Copies rows of a packed matrix into a smaller one, bit for bit.</summary>
internal static unsafe class RowGatherer
{
    /// <summary>Every format keeps a row's share of a line of 64 bytes in its own four bytes.</summary>
    private const int LineBytes = 4 * WeightMatrix.TileRows;

    /// <summary>The matrix whose row i is <paramref name="source"/>'s row <c>rows[i]</c>.</summary>
    public static WeightMatrix Gather(WeightMatrix source, ReadOnlySpan<int> rows, WeightArena arena)
    {
        var matrix = new WeightMatrix(LayoutOf(source, rows.Length), arena);
        for (var tile = 0; tile < matrix.TileCount; tile++)
        {
            new Span<byte>(matrix.Tile(tile), matrix.BlockCount * matrix.BlockBytes).Clear();
            new Span<ushort>(matrix.Scales(tile), matrix.BlockCount * matrix.ScalesPerBlock).Clear();
        }

        for (var row = 0; row < rows.Length; row++)
        {
            Copy(source, rows[row], matrix, row);
        }

        return matrix;
    }

    /// <summary>Layout of a matrix of some rows.</summary>
    public static MatrixLayout LayoutOf(WeightMatrix source, int rows) => new(source.Format, rows, source.Columns);

    private static void Copy(WeightMatrix source, int sourceRow, WeightMatrix matrix, int row)
    {
        var (fromTile, from) = Math.DivRem(sourceRow, WeightMatrix.TileRows);
        var (toTile, to) = Math.DivRem(row, WeightMatrix.TileRows);
        var fromBytes = source.Tile(fromTile);
        var toBytes = matrix.Tile(toTile);
        for (var line = 0; line < matrix.BlockCount * matrix.BlockBytes; line += LineBytes)
        {
            *(uint*)(toBytes + line + (4 * to)) = *(uint*)(fromBytes + line + (4 * from));
        }

        var fromScales = source.Scales(fromTile);
        var toScales = matrix.Scales(toTile);
        for (var line = 0; line < matrix.BlockCount * matrix.ScalesPerBlock; line += WeightMatrix.TileRows)
        {
            toScales[line + to] = fromScales[line + from];
        }
    }
}
