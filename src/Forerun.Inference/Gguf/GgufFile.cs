using System.Collections.Immutable;

namespace Forerun.Inference.Gguf;

/// <summary>A memory-mapped GGUF model, one file or several shards, version 2 or 3, little endian. Thread-safe; spans
/// and pointers are valid until <see cref="Dispose"/>. The files must not be shortened while they are open.</summary>
/// <remarks>Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.</remarks>
public sealed unsafe class GgufFile : IDisposable
{
    private readonly ImmutableArray<GgufShard> _shards;
    private readonly Dictionary<string, GgufTensor> _tensors;

    private GgufFile(ImmutableArray<GgufShard> shards)
    {
        _shards = shards;
        _tensors = shards.SelectMany(shard => shard.Tensors).ToDictionary();
    }

    /// <summary>The file's name without its folder; the first shard's.</summary>
    public string Name => _shards[0].Name;

    /// <summary>The format's version, 2 or 3.</summary>
    public int Version => _shards[0].Version;

    /// <summary>Files that make up the model: 1, or the number of shards.</summary>
    public int ShardCount => _shards.Length;

    /// <summary>Bytes of all of them.</summary>
    public long Length => _shards.Sum(shard => shard.Bytes.Length);

    /// <summary>The keys and their values; the first shard's.</summary>
    public GgufMetadata Metadata => _shards[0].Metadata;

    /// <summary>The tensors by name, in the file's order, shard by shard.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>Maps a file and checks its head. Any shard of a split model opens the whole model: the others lie beside
    /// it, named <c>NAME-00001-of-00003.gguf</c> and so on.</summary>
    /// <exception cref="InvalidDataException">It is no GGUF file, a damaged one, or its shards do not belong together.
    /// </exception>
    /// <exception cref="FileNotFoundException">It is missing, or one of its shards.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static GgufFile Open(string path) => new(GgufShards.Open(path));

    /// <summary>Reads a whole model that is already in memory; the array must not be changed.</summary>
    internal static GgufFile FromBytes(byte[] bytes, string name) => new([GgufShard.Of(bytes, name)]);

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public GgufTensor Tensor(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw Metadata.Invalid($"tensor \"{name}\" is missing.");

    /// <summary>All bytes of a tensor of this file, <c>[ByteLength]</c>.</summary>
    /// <exception cref="InvalidOperationException">The tensor is larger than a span; read it by rows.</exception>
    public ReadOnlySpan<byte> Bytes(GgufTensor tensor) => tensor.ByteLength <= int.MaxValue
        ? BytesOf(tensor).Slice(tensor.Offset, (int)tensor.ByteLength)
        : throw new InvalidOperationException(
            $"Tensor \"{tensor.Name}\" has {tensor.ByteLength} bytes; read it by rows.");

    /// <summary>The bytes of one row of a tensor of this file, <c>[RowBytes]</c>.</summary>
    public ReadOnlySpan<byte> Row(GgufTensor tensor, long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, tensor.RowCount);
        return BytesOf(tensor).Slice(tensor.Offset + (row * tensor.RowBytes), checked((int)tensor.RowBytes));
    }

    /// <summary>Copies one row of a tensor of this file, <c>[RowBytes]</c>, past the mapping: nothing stays resident.
    /// </summary>
    /// <exception cref="EndOfStreamException">The file has been cut since it was opened.</exception>
    public void ReadRow(GgufTensor tensor, long row, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, tensor.RowCount);
        BytesOf(tensor).Read(tensor.Offset + (row * tensor.RowBytes), destination[..checked((int)tensor.RowBytes)]);
    }

    /// <summary>The address of a tensor of this file, <c>[ByteLength]</c> bytes.</summary>
    public byte* Address(GgufTensor tensor) => BytesOf(tensor).Pointer(tensor.Offset);

    /// <summary>Tells the kernel that a tensor's pages are not needed for now, so that repacked weights do not count
    /// twice in resident memory. Reading it again is allowed and reads the file again. Does nothing except on
    /// Linux.</summary>
    public void Release(GgufTensor tensor) => BytesOf(tensor).Release(tensor.Offset, tensor.ByteLength);

    /// <summary>As <see cref="Release"/>, for the whole file.</summary>
    public void ReleaseAll()
    {
        foreach (var shard in _shards)
        {
            shard.Bytes.Release(0, shard.Bytes.Length);
        }
    }

    /// <summary>Unmaps all files.</summary>
    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }

    private MappedBytes BytesOf(GgufTensor tensor) => _shards[tensor.Shard].Bytes;
}
