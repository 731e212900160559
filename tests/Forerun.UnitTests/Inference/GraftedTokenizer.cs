using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Forerun.UnitTests.Inference;

/// <summary>Gives a model file the tokenizer of another one, so that a model whose own tokenizer is not supported can
/// be loaded and its arithmetic tested.</summary>
internal sealed class GraftedTokenizer
{
    private const int Alignment = 32;
    private readonly byte[] _bytes;
    private readonly List<(string Key, Range Entry)> _entries = [];
    private int _position = 24;

    private GraftedTokenizer(byte[] bytes)
    {
        _bytes = bytes;
        for (var count = Read(16, 8); count > 0; count--)
        {
            var start = _position;
            var key = SkipString();
            SkipValue(Skip(4));
            _entries.Add((key, start.._position));
        }
    }

    /// <summary>The model with the donor's tokenizer.</summary>
    public static byte[] Graft(byte[] model, byte[] donor)
    {
        var target = new GraftedTokenizer(model);
        var source = new GraftedTokenizer(donor);
        byte[][] entries =
        [
            .. target.Entries(tokenizer: false),
            .. source.Entries(tokenizer: true),
        ];
        var tensors = target.SkipTensors();
        var data = (target._position + Alignment - 1) / Alignment * Alignment;
        var head = new List<byte>(model[..24]);
        BinaryPrimitives.WriteUInt64LittleEndian(CollectionsMarshal.AsSpan(head)[16..], (ulong)entries.Length);
        foreach (var entry in entries)
        {
            head.AddRange(entry);
        }

        head.AddRange(model[tensors]);
        head.AddRange(new byte[-head.Count & (Alignment - 1)]);
        return [.. head, .. model[data..]];
    }

    private IEnumerable<byte[]> Entries(bool tokenizer) => _entries
        .Where(entry => entry.Key.StartsWith("tokenizer.", StringComparison.Ordinal) == tokenizer)
        .Select(entry => _bytes[entry.Entry]);

    private Range SkipTensors()
    {
        var start = _position;
        for (var count = Read(8, 8); count > 0; count--)
        {
            SkipString();
            var dimensions = (int)Skip(4);
            _position += (dimensions * 8) + 12;
        }

        return start.._position;
    }

    private void SkipValue(ulong type)
    {
        switch (type)
        {
            case 8:
                SkipString();
                break;
            case 9:
                var elementType = Skip(4);
                for (var count = Skip(8); count > 0; count--)
                {
                    SkipValue(elementType);
                }

                break;
            default:
                Skip(type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, _ => 8 });
                break;
        }
    }

    private string SkipString()
    {
        var length = (int)Skip(8);
        _position += length;
        return Encoding.UTF8.GetString(_bytes, _position - length, length);
    }

    private ulong Skip(int bytes)
    {
        _position += bytes;
        return Read(_position - bytes, bytes);
    }

    private ulong Read(int offset, int bytes)
    {
        Span<byte> value = stackalloc byte[8];
        _bytes.AsSpan(offset, bytes).CopyTo(value);
        return BinaryPrimitives.ReadUInt64LittleEndian(value);
    }
}
