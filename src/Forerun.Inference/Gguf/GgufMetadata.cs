using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Forerun.Inference.Gguf;

/// <summary>The keys of a GGUF file. <c>Get…</c> refuses a missing key, <c>Find…</c> returns null; both refuse a value
/// of another type. Thread-safe while the file is open.</summary>
public sealed class GgufMetadata
{
    private readonly Dictionary<string, GgufValue> _values;
    private readonly MappedBytes _bytes;
    private readonly string _fileName;

    internal GgufMetadata(Dictionary<string, GgufValue> values, MappedBytes bytes, string fileName) =>
        (_values, _bytes, _fileName) = (values, bytes, fileName);

    /// <summary>All keys, in the file's order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Whether the key exists.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>A text.</summary>
    /// <exception cref="InvalidDataException">The key is missing or no text.</exception>
    public string GetString(string key) => FindString(key) ?? throw Missing(key);

    /// <summary>A text, or null; invalid UTF-8 becomes U+FFFD.</summary>
    /// <exception cref="InvalidDataException">The value is no text.</exception>
    public string? FindString(string key) => Find(key, GgufValueType.String) is { } value
        ? Encoding.UTF8.GetString(Bytes(value)[sizeof(ulong)..])
        : null;

    /// <summary>A whole number of any stored width.</summary>
    /// <exception cref="InvalidDataException">The key is missing, or no whole number of 32 signed bits.</exception>
    public int GetInt32(string key) => FindInt32(key) ?? throw Missing(key);

    /// <summary>A whole number of any stored width, or null.</summary>
    /// <exception cref="InvalidDataException">The value is no whole number of 32 signed bits.</exception>
    public int? FindInt32(string key)
    {
        if (!_values.TryGetValue(key, out var value))
        {
            return null;
        }

        var number = ReadInteger(Bytes(value), value.Type) ?? throw WrongType(key, "a whole number", value);
        return number >= int.MinValue && number <= int.MaxValue
            ? (int)number
            : throw Invalid($"key \"{key}\" is {number}; expected {int.MinValue} to {int.MaxValue}.");
    }

    /// <summary>A real number, 32 or 64 bits in the file.</summary>
    /// <exception cref="InvalidDataException">The key is missing or no real number.</exception>
    public float GetSingle(string key) => FindSingle(key) ?? throw Missing(key);

    /// <summary>A real number, 32 or 64 bits in the file, or null.</summary>
    /// <exception cref="InvalidDataException">The value is no real number.</exception>
    public float? FindSingle(string key) => !_values.TryGetValue(key, out var value) ? null : value.Type switch
    {
        GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Bytes(value)),
        GgufValueType.Float64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(Bytes(value)),
        _ => throw WrongType(key, "a real number", value),
    };

    /// <summary>A truth value, or null.</summary>
    /// <exception cref="InvalidDataException">The value is no truth value.</exception>
    public bool? FindBoolean(string key) => Find(key, GgufValueType.Bool) is not { } value
        ? null
        : Bytes(value)[0] switch
        {
            0 => false,
            1 => true,
            var other => throw Invalid($"key \"{key}\" is the truth value {other}; expected 0 or 1."),
        };

    /// <summary>A list of texts.</summary>
    /// <exception cref="InvalidDataException">The key is missing or no list of texts.</exception>
    public GgufStrings GetStrings(string key) => FindStrings(key) ?? throw Missing(key);

    /// <summary>A list of texts, or null.</summary>
    /// <exception cref="InvalidDataException">The value is no list of texts.</exception>
    public GgufStrings? FindStrings(string key) =>
        FindArray(key, "an array of strings", GgufValueType.String) is { } value
            ? new GgufStrings(_bytes, value.Offset, value.Count)
            : null;

    /// <summary>A list of 32-bit whole numbers, or null when the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is no list of 32-bit whole numbers.</exception>
    public ImmutableArray<int>? FindInt32Array(string key)
    {
        if (FindArray(key, "an array of Int32", GgufValueType.Int32, GgufValueType.UInt32) is not { } value)
        {
            return null;
        }

        var numbers = ImmutableArray.CreateBuilder<int>(value.Count);
        for (var i = 0; i < value.Count; i++)
        {
            var number = ReadInteger(_bytes.Slice(value.Offset + (4L * i), 4), value.ElementType)!.Value;
            numbers.Add(number <= int.MaxValue
                ? (int)number
                : throw Invalid($"key \"{key}\" holds {number} at index {i}; expected at most {int.MaxValue}."));
        }

        return numbers.MoveToImmutable();
    }

    /// <summary>A list of 32-bit real numbers, or null when the key is missing.</summary>
    /// <exception cref="InvalidDataException">The value is no list of 32-bit real numbers.</exception>
    public ImmutableArray<float>? FindSingleArray(string key)
    {
        if (FindArray(key, "an array of Float32", GgufValueType.Float32) is not { } value)
        {
            return null;
        }

        var numbers = ImmutableArray.CreateBuilder<float>(value.Count);
        for (var i = 0; i < value.Count; i++)
        {
            numbers.Add(BinaryPrimitives.ReadSingleLittleEndian(_bytes.Slice(value.Offset + (4L * i), 4)));
        }

        return numbers.MoveToImmutable();
    }

    /// <summary>The bytes of a value as they lie in the file, lengths of strings included; empty when the key is
    /// missing. For fingerprints.</summary>
    /// <param name="key">The key.</param>
    /// <param name="elements">How many elements of an array, from the first on; all when it has fewer.</param>
    internal ReadOnlySpan<byte> RawBytes(string key, int elements = int.MaxValue)
    {
        if (!_values.TryGetValue(key, out var value))
        {
            return default;
        }

        if (value.Type != GgufValueType.Array || elements >= value.Count)
        {
            return Bytes(value);
        }

        var length = value.ElementType == GgufValueType.String
            ? new GgufStrings(_bytes, value.Offset, elements).ByteLength
            : (long)elements * value.ElementType.Bytes();
        return Bytes(value with { Length = length });
    }

    /// <summary>An exception that names the file.</summary>
    internal InvalidDataException Invalid(string message) => new($"\"{_fileName}\" cannot be used: {message}");

    private static Int128? ReadInteger(ReadOnlySpan<byte> bytes, GgufValueType type) => type switch
    {
        GgufValueType.UInt8 => bytes[0],
        GgufValueType.Int8 => (sbyte)bytes[0],
        GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        GgufValueType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        GgufValueType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        GgufValueType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        _ => null,
    };

    private GgufValue? FindArray(string key, string expected, params ReadOnlySpan<GgufValueType> elementTypes) =>
        !_values.TryGetValue(key, out var value) ? null
        : value.Type == GgufValueType.Array && elementTypes.Contains(value.ElementType) ? value
        : throw WrongType(key, expected, value);

    private GgufValue? Find(string key, GgufValueType expected) =>
        !_values.TryGetValue(key, out var value) ? null
        : value.Type == expected ? value
        : throw WrongType(key, $"a {expected}", value);

    private ReadOnlySpan<byte> Bytes(GgufValue value) => value.Length <= int.MaxValue
        ? _bytes.Slice(value.Offset, (int)value.Length)
        : throw Invalid($"a value at byte {value.Offset} has {value.Length} bytes; expected at most {int.MaxValue}.");

    private InvalidDataException Missing(string key) => Invalid($"key \"{key}\" is missing.");

    private InvalidDataException WrongType(string key, string expected, GgufValue found) =>
        Invalid($"key \"{key}\" must be {expected}, but it is {found.TypeText}.");
}
