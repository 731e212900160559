using Forerun.Inference.Execution;

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

/// <summary>A weight matrix in tiles of 16 rows. Immutable once filled; thread-safe to read.</summary>
/// <remarks>A tile holds, per block of 32 columns, eight groups of <c>[16 rows, 4 columns]</c>: bytes (Q8), or the even
/// group in the low and the odd group in the high nibbles (Q4). Scales lie in a second stream, 16 halves a block,
/// followed by 16 minima where the format has them. F32 tiles are <c>[columns, 16]</c>. Rows are padded with zeros to a
/// multiple of 16.</remarks>
internal sealed unsafe class WeightMatrix : IDisposable
{
    /// <summary>Rows of a tile.</summary>
    public const int TileRows = 16;

    /// <summary>Columns whose sum is completed before it is added to the row's total.</summary>
    public const int SliceColumns = 512;

    private readonly NativeBuffer _quants;
    private readonly NativeBuffer? _scales;

    /// <summary>Allocates an unfilled matrix.</summary>
    public WeightMatrix(TileFormat format, int rows, int columns)
    {
        Format = format;
        Rows = rows;
        Columns = columns;
        TileCount = (rows + TileRows - 1) / TileRows;
        BlockBytes = format switch
        {
            TileFormat.Q8 => 512,
            TileFormat.F32 => 2048,
            _ => 256,
        };
        ScalesPerBlock = format switch
        {
            TileFormat.F32 => 0,
            TileFormat.Q4Minimum => 32,
            _ => 16,
        };
        _quants = new NativeBuffer((long)TileCount * TileBytes);
        _scales = ScalesPerBlock == 0 ? null : new NativeBuffer((long)TileCount * BlockCount * ScalesPerBlock * 2);
    }

    /// <summary>Storage of the weights.</summary>
    public TileFormat Format { get; }

    /// <summary>Output size.</summary>
    public int Rows { get; }

    /// <summary>Input size, a multiple of 32.</summary>
    public int Columns { get; }

    /// <summary>Tiles of 16 rows.</summary>
    public int TileCount { get; }

    /// <summary>Blocks of 32 columns.</summary>
    public int BlockCount => Columns / 32;

    /// <summary>Bytes of a tile's block, without scales.</summary>
    public int BlockBytes { get; }

    /// <summary>Halves per tile and block.</summary>
    public int ScalesPerBlock { get; }

    /// <summary>Bytes of a tile, without scales.</summary>
    public int TileBytes => BlockCount * BlockBytes;

    /// <summary>Bytes read when the whole matrix is used once.</summary>
    public long Bytes => _quants.Bytes + (_scales?.Bytes ?? 0);

    /// <summary>First weight byte of a tile.</summary>
    public byte* Tile(int tile) => _quants.Pointer + ((long)tile * TileBytes);

    /// <summary>First scale of a tile; null for F32.</summary>
    public ushort* Scales(int tile) =>
        _scales is null ? null : (ushort*)_scales.Pointer + ((long)tile * BlockCount * ScalesPerBlock);

    /// <inheritdoc/>
    public void Dispose()
    {
        _quants.Dispose();
        _scales?.Dispose();
    }
}
