using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

public sealed partial class GgufBuilder
{
    /// <summary>All keys, in order.</summary>
    public IEnumerable<string> Keys => _values.Select(entry => entry.Key);

    /// <summary>All tensors, in order.</summary>
    public IEnumerable<string> TensorNames => _tensors.Select(entry => entry.Name);

    /// <summary>Takes a right file apart: <see cref="Build"/> makes one of the same content.</summary>
    public static GgufBuilder Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        reader.BaseStream.Position = 16;
        var builder = new GgufBuilder();
        for (var count = reader.ReadUInt64(); count > 0; count--)
        {
            builder.Add(ReadString(reader), ReadValue(reader, reader.ReadInt32()));
        }

        using var file = GgufFile.FromBytes(bytes, "source.gguf");
        foreach (var tensor in file.Tensors.Values)
        {
            builder.StoredTensor(
                tensor.Name, tensor.Type, file.Bytes(tensor).ToArray(), [.. tensor.Shape.Reverse().Select(n => (ulong)n)]);
        }

        return builder;
    }

    /// <summary>The bytes of a stored tensor.</summary>
    public byte[] Data(string tensor) => _data[tensor];

    /// <summary>Gives the model the tokenizer of another file.</summary>
    public GgufBuilder WithTokenizerOf(GgufBuilder donor)
    {
        foreach (var key in Keys.Where(IsTokenizers).ToArray())
        {
            Set(key, null);
        }

        foreach (var key in donor.Keys.Where(IsTokenizers))
        {
            Take(key, donor);
        }

        return this;

        static bool IsTokenizers(string key) => key.StartsWith("tokenizer.", StringComparison.Ordinal);
    }

    /// <summary>A file with the same keys and some of the tensors.</summary>
    public GgufBuilder Only(IEnumerable<string> tensors)
    {
        var part = new GgufBuilder();
        part._values.AddRange(_values);
        foreach (var name in tensors)
        {
            var (_, type, dimensions, _) = _tensors.Single(tensor => tensor.Name == name);
            part.StoredTensor(name, type, _data[name], dimensions);
        }

        return part;
    }

    /// <summary>Drops all keys.</summary>
    public GgufBuilder WithoutKeys()
    {
        _values.Clear();
        return this;
    }

    /// <summary>Replaces a stored tensor's rows, <c>[rows, columns]</c>.</summary>
    public GgufBuilder SetRows(string name, byte[] data)
    {
        var index = _tensors.FindIndex(tensor => tensor.Name == name);
        var (_, type, dimensions, _) = _tensors[index];
        var rows = (ulong)data.Length * dimensions[1] / (ulong)_data[name].Length;
        _tensors[index] = (name, type, [dimensions[0], rows], null);
        _data[name] = data;
        return this;
    }

    private static object ReadValue(BinaryReader reader, int type) => type switch
    {
        0 => reader.ReadByte(),
        2 => reader.ReadUInt16(),
        4 => reader.ReadUInt32(),
        5 => reader.ReadInt32(),
        6 => reader.ReadSingle(),
        7 => reader.ReadBoolean(),
        8 => ReadString(reader),
        9 => ReadArray(reader, reader.ReadInt32()),
        10 => reader.ReadUInt64(),
        11 => reader.ReadInt64(),
        12 => reader.ReadDouble(),
        _ => throw new ArgumentException($"No test value has the type {type}.", nameof(type)),
    };

    private static Array ReadArray(BinaryReader reader, int type)
    {
        var count = (int)reader.ReadUInt64();
        return type switch
        {
            5 => Many(reader.ReadInt32),
            6 => Many(reader.ReadSingle),
            8 => Many(() => ReadString(reader)),
            _ => throw new ArgumentException($"No test array has elements of type {type}.", nameof(type)),
        };

        T[] Many<T>(Func<T> read) => [.. Enumerable.Range(0, count).Select(_ => read())];
    }

    private static string ReadString(BinaryReader reader) =>
        Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));
}
