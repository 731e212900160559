using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Forerun.Inference.Gguf;

/// <summary>An array of strings inside a GGUF file, read without copying it. Valid while the file is open.</summary>
public sealed class GgufStrings
{
    private readonly MappedBytes _bytes;
    private readonly long[] _offsets;

    internal GgufStrings(MappedBytes bytes, long offset, int count)
    {
        _bytes = bytes;
        _offsets = new long[count + 1];
        for (var i = 0; i < count; i++)
        {
            offset += sizeof(ulong);
            _offsets[i] = offset;
            offset += (long)BinaryPrimitives.ReadUInt64LittleEndian(bytes.Slice(offset - sizeof(ulong), sizeof(ulong)));
        }

        _offsets[count] = offset + sizeof(ulong);
    }

    /// <summary>Number of strings.</summary>
    public int Count => _offsets.Length - 1;

    /// <summary>Bytes of all strings in the file, their lengths included.</summary>
    internal long ByteLength => _offsets[^1] - _offsets[0];

    /// <summary>String <paramref name="index"/> as UTF-8; the file may hold invalid UTF-8.</summary>
    public ReadOnlySpan<byte> this[int index] =>
        _bytes.Slice(_offsets[index], (int)(_offsets[index + 1] - _offsets[index]) - sizeof(ulong));

    /// <summary>Copies all strings; invalid UTF-8 becomes U+FFFD.</summary>
    public ImmutableArray<string> ToImmutableArray()
    {
        var strings = ImmutableArray.CreateBuilder<string>(Count);
        for (var i = 0; i < Count; i++)
        {
            strings.Add(Encoding.UTF8.GetString(this[i]));
        }

        return strings.MoveToImmutable();
    }
}
