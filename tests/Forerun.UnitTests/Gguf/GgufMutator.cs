using System.Buffers.Binary;

namespace Forerun.UnitTests.Gguf;

/// <summary>Damages GGUF files: flipped bytes in the head, cut-off ends, and hostile numbers wherever the format keeps
/// a length, count, type, dimension or offset. The same seed gives the same damage.</summary>
public sealed class GgufMutator
{
    private const int StringsPerArray = 4;

    private static readonly ulong[] Hostile =
    [
        0, 1, 2, 3, 31, 33, 255, 65_535, 65_536, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, 1UL << 40,
        long.MaxValue, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 7,
    ];

    private readonly byte[] _original;
    private readonly List<(int Offset, int Bytes)> _fields = [];
    private int _position;

    public GgufMutator(byte[] original)
    {
        _original = original;
        _fields.AddRange([(0, 4), (4, 4), (8, 8), (16, 8)]);
        var (tensorCount, valueCount) = (ReadAt(8, 8), ReadAt(16, 8));
        _position = 24;
        for (var i = 0UL; i < valueCount; i++)
        {
            WalkString(record: true);
            WalkValue(Field(4));
        }

        for (var i = 0UL; i < tensorCount; i++)
        {
            WalkString(record: true);
            for (var dimensions = Field(4); dimensions > 0; dimensions--)
            {
                Field(8);
            }

            Field(4);
            Field(8);
        }
    }

    /// <summary>Bytes before the tensors' data.</summary>
    public int HeadBytes => _position;

    /// <summary>A damaged copy.</summary>
    public byte[] Mutate(int seed)
    {
        var random = new Random(seed);
        var bytes = (byte[])_original.Clone();
        switch (random.Next(4))
        {
            case 0:
                FlipBytes(bytes, random);
                return bytes;
            case 1:
                var end = random.Next(2) == 0 ? HeadBytes : bytes.Length;
                return bytes[..random.Next(end)];
            default:
                for (var count = random.Next(1, 4); count > 0; count--)
                {
                    Overwrite(bytes, random);
                }

                return bytes;
        }
    }

    private void FlipBytes(byte[] bytes, Random random)
    {
        for (var count = random.Next(1, 9); count > 0; count--)
        {
            bytes[random.Next(HeadBytes)] ^= (byte)(1 << random.Next(8));
        }
    }

    private void Overwrite(byte[] bytes, Random random)
    {
        var (offset, length) = _fields[random.Next(_fields.Count)];
        var value = random.Next(4) switch
        {
            0 => (ulong)random.Next(16),
            1 => ReadAt(offset, length) + (ulong)random.Next(-3, 4),
            2 => (ulong)random.Next(bytes.Length * 2),
            _ => Hostile[random.Next(Hostile.Length)],
        };
        Span<byte> stored = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(stored, value);
        stored[..length].CopyTo(bytes.AsSpan(offset));
    }

    private void WalkValue(ulong type)
    {
        if (type == 8)
        {
            WalkString(record: true);
        }
        else if (type != 9)
        {
            Field(Width(type));
        }
        else
        {
            WalkArray(Field(4), Field(8));
        }
    }

    private void WalkArray(ulong elementType, ulong count)
    {
        for (var i = 0UL; i < count; i++)
        {
            if (elementType == 8)
            {
                WalkString(record: i < StringsPerArray);
            }
            else
            {
                _position += Width(elementType);
            }
        }
    }

    private void WalkString(bool record)
    {
        var length = record ? Field(8) : ReadAt(_position, 8);
        _position += (record ? 0 : 8) + (int)length;
    }

    private ulong Field(int bytes)
    {
        _fields.Add((_position, bytes));
        _position += bytes;
        return ReadAt(_position - bytes, bytes);
    }

    private ulong ReadAt(int offset, int bytes)
    {
        Span<byte> value = stackalloc byte[8];
        _original.AsSpan(offset, bytes).CopyTo(value);
        return BinaryPrimitives.ReadUInt64LittleEndian(value);
    }

    private static int Width(ulong type) => type switch
    {
        0 or 1 or 7 => 1,
        2 or 3 => 2,
        4 or 5 or 6 => 4,
        _ => 8,
    };
}
