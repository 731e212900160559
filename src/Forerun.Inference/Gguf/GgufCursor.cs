using System.Buffers.Binary;
using System.Text;

namespace Forerun.Inference.Gguf;

/// <summary>Reads a GGUF file's head from front to back; nothing beyond its end is read or allocated.</summary>
/// <param name="bytes">The file.</param>
/// <param name="fileName">The file's name for messages.</param>
internal sealed class GgufCursor(MappedBytes bytes, string fileName)
{
    private const int MaxNameBytes = 65_535;
    private const int MaxStringBytes = 1 << 24;

    /// <summary>Offset of the next byte.</summary>
    public long Position { get; private set; }

    /// <summary>Bytes of the whole file.</summary>
    public long Length => bytes.Length;

    /// <summary>Bytes left.</summary>
    public long Remaining => Length - Position;

    /// <summary>Reads an unsigned 32-bit number.</summary>
    public uint ReadUInt32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint), what));

    /// <summary>Reads an unsigned 64-bit number.</summary>
    public ulong ReadUInt64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong), what));

    /// <summary>Reads a count of things of which each takes at least <paramref name="leastBytes"/>.</summary>
    public int ReadCount(int leastBytes, string what)
    {
        var count = ReadUInt64(what);
        if (count > (ulong)(Remaining / leastBytes) || count > (ulong)Array.MaxLength)
        {
            throw Invalid($"{what} is {count}, but only {Remaining} bytes follow. The file is damaged or cut off.");
        }

        return (int)count;
    }

    /// <summary>Reads a key or a tensor name.</summary>
    public string ReadName(string what)
    {
        var length = ReadCount(1, $"the length of {what}");
        return length is > 0 and <= MaxNameBytes
            ? Encoding.UTF8.GetString(Take(length, what))
            : throw Invalid($"{what} has {length} bytes; expected 1 to {MaxNameBytes}.");
    }

    /// <summary>Reads past a value and tells where it lies.</summary>
    public GgufValue ReadValue(string key)
    {
        var type = ReadType(key);
        var (elementType, count) = (type, 1);
        if (type == GgufValueType.Array)
        {
            elementType = ReadType(key);
            if (elementType == GgufValueType.Array)
            {
                throw Invalid($"key \"{key}\" is an array of arrays, which is not supported.");
            }

            var leastBytes = elementType == GgufValueType.String ? sizeof(ulong) : elementType.Bytes();
            count = ReadCount(leastBytes, $"the element count of key \"{key}\"");
        }

        var start = Position;
        if (elementType == GgufValueType.String)
        {
            SkipStrings(count, key);
        }
        else
        {
            Skip((long)count * elementType.Bytes());
        }

        return new GgufValue(type, elementType, count, start, Position - start);
    }

    /// <summary>An exception that names the file.</summary>
    public InvalidDataException Invalid(string message) => new($"\"{fileName}\" cannot be read as GGUF: {message}");

    private GgufValueType ReadType(string key)
    {
        var type = ReadUInt32($"the type of key \"{key}\"");
        return type <= (uint)GgufValueType.Float64
            ? (GgufValueType)type
            : throw Invalid($"key \"{key}\" has the unknown value type {type}; expected 0 to 12.");
    }

    private void SkipStrings(int count, string key)
    {
        var what = $"the length of a string of key \"{key}\"";
        for (var i = 0; i < count; i++)
        {
            var length = ReadCount(1, what);
            Skip(length <= MaxStringBytes
                ? length
                : throw Invalid($"{what} is {length}; expected at most {MaxStringBytes}."));
        }
    }

    private void Skip(long length)
    {
        if (length > Remaining)
        {
            throw Invalid($"it ends at byte {Length}, inside a value. The file is cut off.");
        }

        Position += length;
    }

    private ReadOnlySpan<byte> Take(int length, string what)
    {
        if (length > Remaining)
        {
            throw Invalid($"it ends at byte {Length}, inside {what}. The file is cut off.");
        }

        var taken = bytes.Slice(Position, length);
        Position += length;
        return taken;
    }
}
