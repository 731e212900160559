namespace Forerun.Inference.Weights;

/// <summary>How a matrix's weights lie in memory.</summary>
public enum TileFormat
{
    /// <summary>8-bit integers, one half-precision scale per 32 columns.</summary>
    Q8,

    /// <summary>4-bit integers, one half-precision scale per 32 columns.</summary>
    Q4,

    /// <summary>4-bit integers, a half-precision scale and minimum per 32 columns.</summary>
    Q4Minimum,

    /// <summary>Single-precision floats.</summary>
    F32,
}

/// <summary>Sizes of a matrix in tiles of 16 rows.</summary>
/// <param name="Format">Storage of the weights.</param>
/// <param name="Rows">Output size; padded with zeros to a multiple of 16.</param>
/// <param name="Columns">Input size, a multiple of 32.</param>
internal readonly record struct MatrixLayout(TileFormat Format, int Rows, int Columns)
{
    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 16;

    /// <summary>Columns of a block.</summary>
    public const int BlockColumns = 32;

    /// <summary>Tiles of 16 rows.</summary>
    public int TileCount => (Rows + TileRows - 1) / TileRows;

    /// <summary>Blocks of 32 columns.</summary>
    public int BlockCount => Columns / BlockColumns;

    /// <summary>Bytes of a tile's block, without scales.</summary>
    public int BlockBytes => Format switch
    {
        TileFormat.Q8 => 512,
        TileFormat.F32 => 2048,
        _ => 256,
    };

    /// <summary>Halves per tile and block: 16 scales, and 16 minima where the format has them.</summary>
    public int ScalesPerBlock => Format switch
    {
        TileFormat.F32 => 0,
        TileFormat.Q4Minimum => 32,
        _ => 16,
    };

    /// <summary>Bytes of all tiles, without scales.</summary>
    public long QuantBytes => (long)TileCount * BlockCount * BlockBytes;

    /// <summary>Bytes of all scales.</summary>
    public long ScaleBytes => (long)TileCount * BlockCount * ScalesPerBlock * sizeof(ushort);

    /// <summary>Bytes that the matrix takes in a <see cref="WeightArena"/>.</summary>
    public long ArenaBytes => WeightArena.SliceBytes(QuantBytes) + WeightArena.SliceBytes(ScaleBytes);
}
