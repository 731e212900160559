using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

/// <summary>Writes small GGUF files, right or wrong ones. <see cref="Llama"/> is a right one: one layer, no
/// tokenizer. <see cref="Read"/> takes another file apart, to be changed.</summary>
public sealed partial class GgufBuilder
{
    private const ulong MaxZeroBytes = 1 << 20;
    private readonly List<(string Key, object Value)> _values = [];
    private readonly List<(string Name, GgufTensorType Type, ulong[] Dimensions, ulong? Offset)> _tensors = [];
    private readonly Dictionary<string, byte[]> _data = [];

    public uint Magic { get; init; } = 0x4655_4747;

    public uint Version { get; init; } = 3;

    public ulong? TensorCount { get; init; }

    /// <summary>A right file: hidden size 32, one layer, 2 heads and 1 KV head of 16, FFN 64, vocabulary 8.</summary>
    public static GgufBuilder Llama(string architecture = "llama") => new GgufBuilder()
        .Add("general.architecture", architecture).Add($"{architecture}.block_count", 1u)
        .Add($"{architecture}.context_length", 64u)
        .Add($"{architecture}.embedding_length", 32u).Add($"{architecture}.feed_forward_length", 64u)
        .Add($"{architecture}.attention.head_count", 2u).Add($"{architecture}.attention.head_count_kv", 1u)
        .Add($"{architecture}.attention.layer_norm_rms_epsilon", 1e-5f).Add($"{architecture}.rope.freq_base", 10_000f)
        .Tensor("token_embd.weight", 32, 8).Tensor("output_norm.weight", 32)
        .Tensor("blk.0.attn_norm.weight", 32).Tensor("blk.0.ffn_norm.weight", 32)
        .Tensor("blk.0.attn_q.weight", 32, 32).Tensor("blk.0.attn_k.weight", 32, 16)
        .Tensor("blk.0.attn_v.weight", 32, 16).Tensor("blk.0.attn_output.weight", 32, 32)
        .Tensor("blk.0.ffn_gate.weight", 32, 64).Tensor("blk.0.ffn_up.weight", 32, 64)
        .Tensor("blk.0.ffn_down.weight", 64, 32);

    /// <summary>Adds a key; a second one of the same name stays beside the first.</summary>
    public GgufBuilder Add(string key, object value)
    {
        _values.Add((key, value));
        return this;
    }

    /// <summary>Replaces a key, or leaves it out when the value is null.</summary>
    public GgufBuilder Set(string key, object? value)
    {
        _values.RemoveAll(entry => entry.Key == key);
        return value is null ? this : Add(key, value);
    }

    /// <summary>Adds an F32 tensor of zeros; dimensions innermost first, as in the file.</summary>
    public GgufBuilder Tensor(string name, params ulong[] dimensions) =>
        Tensor(name, GgufTensorType.F32, null, dimensions);

    /// <summary>Adds a tensor.</summary>
    public GgufBuilder Tensor(string name, GgufTensorType type, ulong? offset, params ulong[] dimensions)
    {
        _tensors.Add((name, type, dimensions, offset));
        return this;
    }

    /// <summary>Adds a tensor and its bytes.</summary>
    public GgufBuilder StoredTensor(string name, GgufTensorType type, byte[] data, params ulong[] dimensions)
    {
        _data.Add(name, data);
        return Tensor(name, type, null, dimensions);
    }

    /// <summary>Takes over a key of another file.</summary>
    public GgufBuilder Take(string key, GgufBuilder from) => Add(key, from.Value(key));

    /// <summary>The value of a key.</summary>
    public object Value(string key) => _values.Single(entry => entry.Key == key).Value;

    /// <summary>Replaces a tensor, or leaves it out when no dimensions are given.</summary>
    public GgufBuilder SetTensor(string name, GgufTensorType type, params ulong[] dimensions)
    {
        _tensors.RemoveAll(entry => entry.Name == name);
        return dimensions.Length == 0 ? this : Tensor(name, type, null, dimensions);
    }

    public byte[] Build()
    {
        using var stream = new MemoryStream();
        WriteHead(stream).CopyTo(stream);
        return stream.ToArray();
    }

    /// <summary>Writes everything up to the tensors' data.</summary>
    /// <returns>The data of stored tensors and of small ones without content.</returns>
    public MemoryStream WriteHead(Stream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)_tensors.Count);
        writer.Write((ulong)_values.Count);
        foreach (var (key, value) in _values)
        {
            WriteString(writer, key);
            WriteValue(writer, value);
        }

        var data = WriteTensors(writer);
        writer.Write(new byte[-stream.Length & 31]);
        return data;
    }

    /// <summary>Builds and opens.</summary>
    internal GgufFile Open() => GgufFile.FromBytes(Build(), "test.gguf");

    private MemoryStream WriteTensors(BinaryWriter writer)
    {
        var bytes = new MemoryStream();
        var end = 0UL;
        foreach (var (name, type, dimensions, offset) in _tensors)
        {
            WriteString(writer, name);
            writer.Write(dimensions.Length);
            Array.ForEach(dimensions, writer.Write);
            writer.Write((int)type);
            writer.Write(offset ?? end);
            var size = dimensions.Aggregate(4UL, (product, dimension) => product * dimension);
            if (_data.TryGetValue(name, out var data) || size <= MaxZeroBytes)
            {
                data ??= new byte[size];
                bytes.Write(data);
                bytes.Write(new byte[-data.Length & 31]);
                size = (ulong)data.Length;
            }

            end += (size + 31) & ~31UL;
        }

        bytes.Position = 0;
        return bytes;
    }

    private static void WriteValue(BinaryWriter writer, object value)
    {
        writer.Write(TypeOf(value));
        switch (value)
        {
            case string[] texts:
                writer.Write(TypeOf(""));
                writer.Write((ulong)texts.Length);
                Array.ForEach(texts, text => WriteString(writer, text));
                break;
            case int[] numbers:
                writer.Write(TypeOf(0));
                writer.Write((ulong)numbers.Length);
                Array.ForEach(numbers, writer.Write);
                break;
            case float[] numbers:
                writer.Write(TypeOf(0f));
                writer.Write((ulong)numbers.Length);
                Array.ForEach(numbers, writer.Write);
                break;
            default:
                WriteScalar(writer, value);
                break;
        }
    }

    private static void WriteScalar(BinaryWriter writer, object value)
    {
        switch (value)
        {
            case byte number: writer.Write(number); break;
            case ushort number: writer.Write(number); break;
            case uint number: writer.Write(number); break;
            case int number: writer.Write(number); break;
            case ulong number: writer.Write(number); break;
            case long number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case double number: writer.Write(number); break;
            case bool truth: writer.Write(truth); break;
            default: WriteString(writer, (string)value); break;
        }
    }

    private static int TypeOf(object value) => value switch
    {
        byte => 0,
        ushort => 2,
        uint => 4,
        int => 5,
        float => 6,
        bool => 7,
        string => 8,
        Array => 9,
        ulong => 10,
        long => 11,
        double => 12,
        _ => throw new ArgumentException($"No GGUF type for {value.GetType()}.", nameof(value)),
    };

    private static void WriteString(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
