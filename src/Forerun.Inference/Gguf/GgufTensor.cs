using System.Collections.Immutable;

namespace Forerun.Inference.Gguf;

/// <summary>A tensor's entry in a GGUF file. Its bytes come from <see cref="GgufFile.Bytes"/> or
/// <see cref="GgufFile.Row"/>.</summary>
public sealed class GgufTensor
{
    internal GgufTensor(string name, GgufTensorType type, ImmutableArray<long> shape, long offset, int shard = 0)
    {
        (Name, Type, Shape, Offset, Shard) = (name, type, shape, offset, shard);
        var block = BlockFormat.Of(type);
        RowBytes = RowLength / block.Elements * block.Bytes;
        RowCount = shape[..^1].Aggregate(1L, (product, size) => product * size);
    }

    /// <summary>The name, such as <c>blk.0.attn_q.weight</c>.</summary>
    public string Name { get; }

    /// <summary>How the elements are stored.</summary>
    public GgufTensorType Type { get; }

    /// <summary>The dimensions, outermost first, row-major: <c>[rows, rowLength]</c> for a matrix, <c>[length]</c> for
    /// a vector; 1 to 4 dimensions. The file lists them innermost first.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Byte offset from the start of the file, or of the shard, that holds it.</summary>
    public long Offset { get; }

    /// <summary>Elements of a row: the innermost dimension.</summary>
    public long RowLength => Shape[^1];

    /// <summary>Bytes of a row.</summary>
    public long RowBytes { get; }

    /// <summary>Number of rows: the product of all dimensions but the innermost; 1 for a vector.</summary>
    public long RowCount { get; }

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteLength => RowBytes * RowCount;

    /// <summary>Which shard holds it, from 0.</summary>
    internal int Shard { get; }

    /// <summary>The shape as text, such as <c>[192, 576]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}
