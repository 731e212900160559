using System.Buffers.Binary;
using System.Text.Json;

namespace Forerun.Inference.Safetensors;

/// <summary>A safetensors file, wholly in memory: named tensors and text metadata. Reading is strict: the tensors must
/// fill the data exactly, in order and without gaps. Immutable; thread-safe.</summary>
/// <remarks>Layout: header length (uint64), a JSON header with type, shape and byte range of each tensor, the data.
/// </remarks>
public sealed class SafetensorsFile
{
    private const int MaxHeaderBytes = 1 << 20;
    private const int MaxDimensions = 8;

    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsFile(ReadOnlyMemory<byte> bytes, string name)
    {
        Name = name;
        var header = Header(bytes.Span);
        using var document = Parse(bytes.Slice(sizeof(ulong), header));
        var data = bytes[(sizeof(ulong) + header)..];
        var end = 0L;
        foreach (var (tensor, start) in Entries(document.RootElement, data).OrderBy(entry => entry.Start))
        {
            if (start != end)
            {
                throw Damaged($"tensor \"{tensor.Name}\" starts at byte {start}, expected {end}");
            }

            end += tensor.Bytes.Length;
            if (!_tensors.TryAdd(tensor.Name, tensor))
            {
                throw Damaged($"tensor \"{tensor.Name}\" is there twice");
            }
        }

        if (end != data.Length)
        {
            throw Damaged($"the tensors take {end} bytes, the file has {data.Length}");
        }
    }

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>Text metadata; empty when there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>All tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or not of this format.</exception>
    public static SafetensorsFile Open(string path) => FromBytes(File.ReadAllBytes(path), Path.GetFileName(path));

    /// <summary>Reads a file that is in memory already.</summary>
    public static SafetensorsFile FromBytes(ReadOnlyMemory<byte> bytes, string name) => new(bytes, name);

    /// <summary>A tensor that must be there with this type and shape; -1 = any size of at least 1.</summary>
    /// <exception cref="InvalidDataException">It is missing, or has another type or shape.</exception>
    public SafetensorsTensor Tensor(string name, SafetensorsType type, params ReadOnlySpan<int> shape)
    {
        if (!_tensors.TryGetValue(name, out var tensor))
        {
            throw Damaged($"tensor \"{name}\" is missing");
        }

        var fits = tensor.Type == type && tensor.Shape.Length == shape.Length;
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = shape[i] == -1 ? tensor.Shape[i] > 0 : tensor.Shape[i] == shape[i];
        }

        return fits ? tensor : throw Damaged(
            $"tensor \"{name}\" is {tensor.Type} [{string.Join(", ", tensor.Shape)}], expected {type} [{string.Join(", ", shape.ToArray()).Replace("-1", "any", StringComparison.Ordinal)}]");
    }

    /// <summary>A text of the metadata that must be there.</summary>
    /// <exception cref="InvalidDataException">It is missing.</exception>
    public string Text(string key) => _metadata.TryGetValue(key, out var text) ? text
        : throw Damaged($"metadata \"{key}\" is missing");

    /// <summary>The exception for a file that is not what it should be.</summary>
    public InvalidDataException Damaged(string what) => new($"\"{Name}\" cannot be used: {what}. Get or make the file again.");

    private int Header(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < sizeof(ulong))
        {
            throw Damaged($"it has {bytes.Length} bytes, a safetensors file has at least {sizeof(ulong)}");
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return length <= MaxHeaderBytes && length <= (ulong)(bytes.Length - sizeof(ulong)) ? (int)length : throw Damaged(
            $"its header claims {length} bytes; the file has {bytes.Length - sizeof(ulong)} after the length, a header at most {MaxHeaderBytes}");
    }

    private JsonDocument Parse(ReadOnlyMemory<byte> header)
    {
        try
        {
            var document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 8 });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document
                : throw Damaged("its header is not a JSON object");
        }
        catch (JsonException exception)
        {
            throw Damaged($"its header is not JSON ({exception.Message})");
        }
    }

    private List<(SafetensorsTensor Tensor, long Start)> Entries(JsonElement header, ReadOnlyMemory<byte> data)
    {
        List<(SafetensorsTensor Tensor, long Start)> entries = [];
        try
        {
            foreach (var entry in header.EnumerateObject())
            {
                if (entry.Name == "__metadata__")
                {
                    ReadMetadata(entry.Value);
                }
                else
                {
                    entries.Add(Entry(entry.Name, entry.Value, data));
                }
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw Damaged($"its header is not a safetensors header ({exception.Message})");
        }

        return entries;
    }

    private void ReadMetadata(JsonElement metadata)
    {
        foreach (var text in metadata.EnumerateObject())
        {
            _metadata[text.Name] = text.Value.GetString() ?? throw Damaged($"metadata \"{text.Name}\" is not text");
        }
    }

    private (SafetensorsTensor Tensor, long Start) Entry(string name, JsonElement entry, ReadOnlyMemory<byte> data)
    {
        var dtype = entry.GetProperty("dtype").GetString();
        if (!Enum.TryParse<SafetensorsType>(dtype, out var type) || !Enum.IsDefined(type) || type.ToString() != dtype)
        {
            throw Damaged($"tensor \"{name}\" has type \"{dtype}\"; known are {string.Join(", ", Enum.GetNames<SafetensorsType>())}");
        }

        var shape = entry.GetProperty("shape");
        var range = entry.GetProperty("data_offsets");
        if (shape.GetArrayLength() > MaxDimensions || range.GetArrayLength() != 2)
        {
            throw Damaged($"tensor \"{name}\" has {shape.GetArrayLength()} dimensions and {range.GetArrayLength()} offsets, expected at most {MaxDimensions} and 2");
        }

        int[] sizes = [.. shape.EnumerateArray().Select(size => size.GetInt32())];
        var (start, end) = (range[0].GetInt64(), range[1].GetInt64());
        if (start < 0 || end < start || end > data.Length || Bytes(sizes, type, data.Length) != end - start)
        {
            throw Damaged($"tensor \"{name}\" of shape [{string.Join(", ", sizes)}] lies at bytes {start} to {end} of {data.Length}");
        }

        return (new SafetensorsTensor(name, type, sizes, data.Slice((int)start, (int)(end - start))), start);
    }

    /// <summary>Bytes of a shape; -1 when it is negative or larger than <paramref name="limit"/>.</summary>
    private static long Bytes(int[] sizes, SafetensorsType type, long limit)
    {
        long bytes = SafetensorsTensor.SizeOf(type);
        foreach (var size in sizes)
        {
            bytes *= size;
            if (size < 0 || bytes > limit)
            {
                return -1;
            }
        }

        return bytes;
    }
}
