namespace Forerun.Inference.Weights;

/// <summary>A weight matrix in tiles of 16 rows. Immutable once filled; thread-safe to read; its memory belongs to the
/// arena.</summary>
/// <remarks>A tile holds, per block of 32 columns, eight groups of <c>[16 rows, 4 columns]</c>: bytes (Q8), or the even
/// group in the low and the odd group in the high nibbles (Q4). Scales lie in a second stream, 16 halves a block,
/// followed by 16 minima where the format has them. F32 tiles are <c>[columns, 16]</c>. Rows are padded with zeros to a
/// multiple of 16.</remarks>
internal sealed unsafe class WeightMatrix
{
    /// <summary>Rows of a tile.</summary>
    public const int TileRows = MatrixLayout.TileRows;

    /// <summary>Columns whose sum is completed before it is added to the row's total.</summary>
    public const int SliceColumns = 512;

    /// <summary>Blocks of 32 columns in a slice.</summary>
    public const int SliceBlocks = SliceColumns / 32;

    private readonly byte* _quants;
    private readonly ushort* _scales;
    private readonly MatrixLayout _layout;

    /// <summary>Takes memory for an unfilled matrix.</summary>
    public WeightMatrix(MatrixLayout layout, WeightArena arena)
    {
        _layout = layout;
        TileCount = layout.TileCount;
        BlockCount = layout.BlockCount;
        BlockBytes = layout.BlockBytes;
        ScalesPerBlock = layout.ScalesPerBlock;
        _quants = arena.Take(layout.QuantBytes);
        _scales = ScalesPerBlock == 0 ? null : (ushort*)arena.Take(layout.ScaleBytes);
    }

    /// <summary>Storage of the weights.</summary>
    public TileFormat Format => _layout.Format;

    /// <summary>Output size.</summary>
    public int Rows => _layout.Rows;

    /// <summary>Input size, a multiple of 32.</summary>
    public int Columns => _layout.Columns;

    /// <summary>Tiles of 16 rows.</summary>
    public int TileCount { get; }

    /// <summary>Blocks of 32 columns.</summary>
    public int BlockCount { get; }

    /// <summary>Bytes of a tile's block, without scales.</summary>
    public int BlockBytes { get; }

    /// <summary>Halves per tile and block.</summary>
    public int ScalesPerBlock { get; }

    /// <summary>Bytes read when the whole matrix is used once.</summary>
    public long Bytes => _layout.QuantBytes + _layout.ScaleBytes;

    /// <summary>First weight byte of a tile.</summary>
    public byte* Tile(int tile) => _quants + ((long)tile * BlockCount * BlockBytes);

    /// <summary>First scale of a tile; null for F32.</summary>
    public ushort* Scales(int tile) => _scales + ((long)tile * BlockCount * ScalesPerBlock);
}
