namespace Forerun.Inference.Gguf;

/// <summary>One mapped file with its head: a whole model, or one of the shards of a split one. The head is checked
/// wholly: whatever an entry promises lies inside the file.</summary>
internal sealed class GgufShard : IDisposable
{
    private const uint Magic = 0x4655_4747;
    private const int LeastTensorEntryBytes = 33;
    private const int LeastValueBytes = 14;

    private GgufShard(MappedBytes bytes, string name, int number)
    {
        (Bytes, Name) = (bytes, name);
        var cursor = new GgufCursor(bytes, name);
        Version = ReadVersion(cursor);
        var tensorCount = cursor.ReadCount(LeastTensorEntryBytes, "the tensor count");
        var valueCount = cursor.ReadCount(LeastValueBytes, "the key count");
        Metadata = new GgufMetadata(ReadValues(cursor, valueCount), bytes, name);
        Tensors = GgufTensorTable.Read(cursor, tensorCount, Metadata.FindInt32("general.alignment"), number);
    }

    /// <summary>The file's name without its folder.</summary>
    public string Name { get; }

    /// <summary>The format's version, 2 or 3.</summary>
    public int Version { get; }

    /// <summary>The keys and their values.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors by name, in the file's order.</summary>
    public Dictionary<string, GgufTensor> Tensors { get; }

    /// <summary>The file.</summary>
    public MappedBytes Bytes { get; }

    /// <summary>Maps a file and checks its head.</summary>
    /// <param name="path">The file.</param>
    /// <param name="number">Which shard it is to be, from 0.</param>
    public static GgufShard Open(string path, int number = 0) =>
        Create(MappedBytes.Open(path), Path.GetFileName(path), number);

    /// <summary>Reads a file that is in memory.</summary>
    public static GgufShard Of(byte[] bytes, string name) => Create(MappedBytes.Of(bytes), name, number: 0);

    /// <inheritdoc/>
    public void Dispose() => Bytes.Dispose();

    private static GgufShard Create(MappedBytes bytes, string name, int number)
    {
        try
        {
            return new GgufShard(bytes, name, number);
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
