using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

/// <summary>Sizes of a synthetic model.</summary>
internal sealed record SyntheticShape(
    int Layers, int Hidden, int Intermediate, int Heads, int KeyValueHeads, int Vocabulary, int Context, bool IsTied)
{
    /// <summary>Loaded in a moment; wide enough for blocks of 256.</summary>
    public static SyntheticShape Tiny { get; } = new(2, 256, 512, 4, 2, 640, 512, IsTied: true);

    /// <summary>That of Llama-2-7B.</summary>
    public static SyntheticShape Llama2 { get; } = new(32, 4096, 11_008, 32, 32, 32_000, 4096, IsTied: false);
}

/// <summary>Makes llama models of random blocks, of any size: matrices of one type, norms of ones, and the tokenizer of a
/// tiny model, filled up. The same shape and type give the same bytes.</summary>
internal static class SyntheticModel
{
    private const int ChunkBlocks = 4096;

    /// <summary>The types with blocks of 256 that can be decoded.</summary>
    public static GgufTensorType[] SuperBlockTypes { get; } =
    [
        GgufTensorType.Q2_K, GgufTensorType.Q3_K, GgufTensorType.Q4_K, GgufTensorType.Q5_K, GgufTensorType.Q6_K,
    ];

    /// <summary>A tiny model.</summary>
    public static byte[] Bytes(GgufTensorType type)
    {
        using var stream = new MemoryStream();
        Write(stream, SyntheticShape.Tiny, type);
        return stream.ToArray();
    }

    /// <summary>Writes a model, tensor by tensor.</summary>
    public static void Write(Stream stream, SyntheticShape shape, GgufTensorType type)
    {
        var builder = new GgufBuilder()
            .Add("general.architecture", "llama").Add("general.name", $"synthetic-{shape.Layers}x{shape.Hidden}-{type}")
            .Add("llama.block_count", (uint)shape.Layers).Add("llama.context_length", (uint)shape.Context)
            .Add("llama.embedding_length", (uint)shape.Hidden).Add("llama.feed_forward_length", (uint)shape.Intermediate)
            .Add("llama.attention.head_count", (uint)shape.Heads)
            .Add("llama.attention.head_count_kv", (uint)shape.KeyValueHeads)
            .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f).Add("llama.rope.freq_base", 10_000f)
            .WithTokenizerOf(Tokenizer(shape.Vocabulary));
        var offset = 0UL;
        foreach (var (name, columns, rows) in Tensors(shape))
        {
            ulong[] dimensions = rows == 1 ? [(ulong)columns] : [(ulong)columns, (ulong)rows];
            builder.Tensor(name, rows == 1 ? GgufTensorType.F32 : type, offset, dimensions);
            offset += (ulong)(Bytes(type, columns, rows) + 31 & ~31);
        }

        builder.WriteHead(stream).Dispose();
        var random = new Random((int)type);
        foreach (var (_, columns, rows) in Tensors(shape))
        {
            WriteTensor(stream, type, columns, rows, random);
        }
    }

    /// <summary>Random blocks whose values are around zero, about 0.06 in size.</summary>
    public static byte[] Blocks(GgufTensorType type, int count, Random random)
    {
        var (scale, scaleOffset, minimum) = type switch
        {
            GgufTensorType.Q8_0 => (8e-4, 0, 0),
            GgufTensorType.Q2_K => (5e-3, 80, 1.5),
            GgufTensorType.Q3_K => (1.4e-3, 108, 0),
            GgufTensorType.Q4_K => (2e-4, 0, 7.5),
            GgufTensorType.Q5_K => (1e-4, 0, 15.5),
            GgufTensorType.Q6_K => (4.4e-5, 208, 0),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not among the types that can be made."),
        };
        var blockBytes = BlockFormat.Of(type).Bytes;
        var bytes = new byte[count * blockBytes];
        random.NextBytes(bytes);
        for (var block = 0; block < count; block++)
        {
            var scales = bytes.AsSpan((block * blockBytes) + scaleOffset);
            var size = scale * (0.5 + random.NextDouble());
            BinaryPrimitives.WriteHalfLittleEndian(scales, (Half)size);
            if (minimum > 0)
            {
                BinaryPrimitives.WriteHalfLittleEndian(scales[2..], (Half)(size * minimum));
            }
        }

        return bytes;
    }

    private static IEnumerable<(string Name, int Columns, int Rows)> Tensors(SyntheticShape shape)
    {
        var keys = shape.Hidden / shape.Heads * shape.KeyValueHeads;
        yield return ("token_embd.weight", shape.Hidden, shape.Vocabulary);
        yield return ("output_norm.weight", shape.Hidden, 1);
        if (!shape.IsTied)
        {
            yield return ("output.weight", shape.Hidden, shape.Vocabulary);
        }

        for (var layer = 0; layer < shape.Layers; layer++)
        {
            yield return ($"blk.{layer}.attn_norm.weight", shape.Hidden, 1);
            yield return ($"blk.{layer}.ffn_norm.weight", shape.Hidden, 1);
            yield return ($"blk.{layer}.attn_q.weight", shape.Hidden, shape.Hidden);
            yield return ($"blk.{layer}.attn_k.weight", shape.Hidden, keys);
            yield return ($"blk.{layer}.attn_v.weight", shape.Hidden, keys);
            yield return ($"blk.{layer}.attn_output.weight", shape.Hidden, shape.Hidden);
            yield return ($"blk.{layer}.ffn_gate.weight", shape.Hidden, shape.Intermediate);
            yield return ($"blk.{layer}.ffn_up.weight", shape.Hidden, shape.Intermediate);
            yield return ($"blk.{layer}.ffn_down.weight", shape.Intermediate, shape.Hidden);
        }
    }

    private static long Bytes(GgufTensorType type, int columns, int rows)
    {
        var format = BlockFormat.Of(rows == 1 ? GgufTensorType.F32 : type);
        return (long)columns / format.Elements * rows * format.Bytes;
    }

    private static void WriteTensor(Stream stream, GgufTensorType type, int columns, int rows, Random random)
    {
        var bytes = Bytes(type, columns, rows);
        if (rows == 1)
        {
            stream.Write(MemoryMarshal.AsBytes<float>(Enumerable.Repeat(1f, columns).ToArray()));
        }
        else
        {
            for (var left = bytes / BlockFormat.Of(type).Bytes; left > 0; left -= ChunkBlocks)
            {
                stream.Write(Blocks(type, (int)Math.Min(left, ChunkBlocks), random));
            }
        }

        stream.Write(new byte[-bytes & 31]);
    }

    private static GgufBuilder Tokenizer(int vocabulary)
    {
        var donor = GgufBuilder.Read(File.ReadAllBytes(Assets.Tiny("llama2-mha-spm")));
        string[] texts = (string[])donor.Value("tokenizer.ggml.tokens");
        var missing = vocabulary - texts.Length;
        return donor
            .Set("tokenizer.ggml.tokens", Fill(texts, i => $"<extra {i}>"))
            .Set("tokenizer.ggml.token_type", Fill((int[])donor.Value("tokenizer.ggml.token_type"), _ => 1))
            .Set("tokenizer.ggml.scores", Fill((float[])donor.Value("tokenizer.ggml.scores"), _ => -1e4f));

        T[] Fill<T>(T[] values, Func<int, T> more) => [.. values, .. Enumerable.Range(0, missing).Select(more)];
    }
}
