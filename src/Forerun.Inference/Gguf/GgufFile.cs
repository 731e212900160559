namespace Forerun.Inference.Gguf;

/// <summary>A memory-mapped GGUF file, version 2 or 3, little endian. Thread-safe; spans and pointers are valid until
/// <see cref="Dispose"/>. The file must not be shortened while it is open.</summary>
/// <remarks>Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. The head is checked wholly when the
/// file is opened: whatever an entry promises lies inside the file.</remarks>
public sealed unsafe class GgufFile : IDisposable
{
    private const uint Magic = 0x4655_4747;
    private const int LeastTensorEntryBytes = 33;
    private const int LeastValueBytes = 14;
    private readonly MappedBytes _bytes;
    private readonly Dictionary<string, GgufTensor> _tensors;

    private GgufFile(MappedBytes bytes, string name)
    {
        (_bytes, Name) = (bytes, name);
        var cursor = new GgufCursor(bytes, name);
        Version = ReadVersion(cursor);
        var tensorCount = cursor.ReadCount(LeastTensorEntryBytes, "the tensor count");
        var valueCount = cursor.ReadCount(LeastValueBytes, "the key count");
        Metadata = new GgufMetadata(ReadValues(cursor, valueCount), bytes, name);
        _tensors = GgufTensorTable.Read(cursor, tensorCount, Metadata.FindInt32("general.alignment"));
    }

    /// <summary>The file's name without its folder.</summary>
    public string Name { get; }

    /// <summary>The format's version, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>The keys and their values.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by name, in the file's order.</summary>
    public IReadOnlyDictionary<string, GgufTensor> Tensors => _tensors;

    /// <summary>Maps a file and checks its head.</summary>
    /// <exception cref="InvalidDataException">It is no GGUF file, or a damaged one.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static GgufFile Open(string path) => Create(MappedBytes.Open(path), Path.GetFileName(path));

    /// <summary>Reads a file that is already in memory; the array must not be changed.</summary>
    internal static GgufFile FromBytes(byte[] bytes, string name) => Create(MappedBytes.Of(bytes), name);

    /// <summary>The tensor called <paramref name="name"/>.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public GgufTensor Tensor(string name) => _tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw Metadata.Invalid($"tensor \"{name}\" is missing.");

    /// <summary>All bytes of a tensor of this file, <c>[ByteLength]</c>.</summary>
    /// <exception cref="InvalidOperationException">The tensor is larger than a span; read it by rows.</exception>
    public ReadOnlySpan<byte> Bytes(GgufTensor tensor) => tensor.ByteLength <= int.MaxValue
        ? _bytes.Slice(tensor.Offset, (int)tensor.ByteLength)
        : throw new InvalidOperationException(
            $"Tensor \"{tensor.Name}\" has {tensor.ByteLength} bytes; read it by rows.");

    /// <summary>The bytes of one row of a tensor of this file, <c>[RowBytes]</c>.</summary>
    public ReadOnlySpan<byte> Row(GgufTensor tensor, long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, tensor.RowCount);
        return _bytes.Slice(tensor.Offset + (row * tensor.RowBytes), checked((int)tensor.RowBytes));
    }

    /// <summary>Copies one row of a tensor of this file, <c>[RowBytes]</c>, past the mapping: nothing stays resident.
    /// </summary>
    /// <exception cref="EndOfStreamException">The file has been cut since it was opened.</exception>
    public void ReadRow(GgufTensor tensor, long row, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(row, tensor.RowCount);
        _bytes.Read(tensor.Offset + (row * tensor.RowBytes), destination[..checked((int)tensor.RowBytes)]);
    }

    /// <summary>The address of a tensor of this file, <c>[ByteLength]</c> bytes.</summary>
    public byte* Address(GgufTensor tensor) => _bytes.Pointer(tensor.Offset);

    /// <summary>Tells the kernel that a tensor's pages are not needed for now, so that repacked weights do not count
    /// twice in resident memory. Reading it again is allowed and reads the file again. Does nothing except on
    /// Linux.</summary>
    public void Release(GgufTensor tensor) => _bytes.Release(tensor.Offset, tensor.ByteLength);

    /// <summary>As <see cref="Release"/>, for the whole file.</summary>
    public void ReleaseAll() => _bytes.Release(0, _bytes.Length);

    /// <summary>Unmaps the file.</summary>
    public void Dispose() => _bytes.Dispose();

    private static GgufFile Create(MappedBytes bytes, string name)
    {
        try
        {
            return new GgufFile(bytes, name);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    private static int ReadVersion(GgufCursor cursor)
    {
        var magic = cursor.ReadUInt32("the magic number");
        if (magic != Magic)
        {
            throw cursor.Invalid($"it starts with 0x{magic:X8}; expected 0x{Magic:X8} (\"GGUF\").");
        }

        return cursor.ReadUInt32("the version") switch
        {
            2 => 2,
            3 => 3,
            1 => throw cursor.Invalid("it has version 1; expected 2 or 3. Convert the model again."),
            var version when version > 0xFFFF => throw cursor.Invalid(
                "it is big endian; expected little endian. Convert the model for little-endian machines."),
            var version => throw cursor.Invalid($"it has version {version}; expected 2 or 3."),
        };
    }

    private static Dictionary<string, GgufValue> ReadValues(GgufCursor cursor, int count)
    {
        var values = new Dictionary<string, GgufValue>();
        for (var i = 0; i < count; i++)
        {
            var key = cursor.ReadName($"key {i}");
            if (!values.TryAdd(key, cursor.ReadValue(key)))
            {
                throw cursor.Invalid($"key \"{key}\" occurs twice.");
            }
        }

        return values;
    }
}
