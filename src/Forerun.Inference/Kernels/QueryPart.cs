using System.Runtime.InteropServices;

namespace Forerun.Inference.Kernels;

/// <summary>What a <see cref="QueryProduct"/> multiplies. Assembled loops read it by these offsets.</summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct QueryPart
{
    public const int RowsOffset = 0;
    public const int WeightsOffset = 8;
    public const int OutputOffset = 16;
    public const int PrefetchOffset = 24;
    public const int RowStrideOffset = 32;
    public const int VectorStrideOffset = 40;
    public const int OutputStrideOffset = 48;
    public const int PrefetchBytesOffset = 56;
    public const int CountOffset = 64;

    /// <summary>First row of elements.</summary>
    [FieldOffset(RowsOffset)]
    public byte* Rows;

    /// <summary>A weight per query and row, <c>[queries, <see cref="QueryProduct.WeightStride"/>]</c>.</summary>
    [FieldOffset(WeightsOffset)]
    public float* Weights;

    /// <summary>Destination, <c>[queries, OutputStride]</c>, a row's vectors next to each other.</summary>
    [FieldOffset(OutputOffset)]
    public float* Output;

    /// <summary>What will be needed next, as many bytes as halves are read here; null = not known.</summary>
    [FieldOffset(PrefetchOffset)]
    public byte* Prefetch;

    /// <summary>Bytes from one row to the next.</summary>
    [FieldOffset(RowStrideOffset)]
    public long RowStride;

    /// <summary>Bytes from one vector of a row to the next.</summary>
    [FieldOffset(VectorStrideOffset)]
    public long VectorStride;

    /// <summary>Floats from one query's output to the next.</summary>
    [FieldOffset(OutputStrideOffset)]
    public long OutputStride;

    /// <summary>How far the assembled loop advances <see cref="Prefetch"/> per row; 0 = not at all.</summary>
    [FieldOffset(PrefetchBytesOffset)]
    public long PrefetchBytes;

    /// <summary>Rows.</summary>
    [FieldOffset(CountOffset)]
    public long Count;
}
