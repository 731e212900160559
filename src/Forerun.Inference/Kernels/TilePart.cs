using System.Runtime.InteropServices;

namespace Forerun.Inference.Kernels;

/// <summary>What the innermost loop multiplies: blocks of a weight tile, from the start of a slice, with one group of
/// activation rows. Assembled kernels read it by these offsets.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct TilePart
{
    public const int QuantsOffset = 0;
    public const int ScalesOffset = 8;
    public const int ActivationOffset = 16;
    public const int OutputOffset = 24;
    public const int PrefetchOffset = 32;
    public const int PrefetchBytesOffset = 40;
    public const int OutputStrideOffset = 44;
    public const int BlockCountOffset = 48;
    public const int AccumulateOffset = 52;
    public const int SumsOffset = 56;

    /// <summary>First block, from the first weight row of this part.</summary>
    [FieldOffset(QuantsOffset)]
    public byte* Quants;

    /// <summary>Scales of that block, likewise.</summary>
    [FieldOffset(ScalesOffset)]
    public ushort* Scales;

    /// <summary>First activation block (see <see cref="ActivationBlocks"/>).</summary>
    [FieldOffset(ActivationOffset)]
    public byte* Activation;

    /// <summary>Destination, one row of floats per activation row.</summary>
    [FieldOffset(OutputOffset)]
    public float* Output;

    /// <summary>Weights that will be needed next.</summary>
    [FieldOffset(PrefetchOffset)]
    public byte* Prefetch;

    /// <summary>How far <see cref="Prefetch"/> advances per block, a multiple of 64; 0 = none.</summary>
    [FieldOffset(PrefetchBytesOffset)]
    public int PrefetchBytes;

    /// <summary>Floats from one output row to the next.</summary>
    [FieldOffset(OutputStrideOffset)]
    public int OutputStride;

    /// <summary>Blocks; whole slices, except at the end of the tile.</summary>
    [FieldOffset(BlockCountOffset)]
    public int BlockCount;

    /// <summary>0 for the tile's first slice: the output is overwritten; otherwise 1.</summary>
    [FieldOffset(AccumulateOffset)]
    public int Accumulate;

    /// <summary>Room for the slice's sums of all rows, where they do not fit in registers.</summary>
    [FieldOffset(SumsOffset)]
    public float* Sums;
}
