using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Gguf;

/// <summary>Makes small models of random K blocks: hidden size 256, two layers, 4 heads and 2 KV heads of 64, FFN 512,
/// the tiny models' tokenizer, tied head. The same type gives the same bytes.</summary>
internal static class SuperBlockModels
{
    private const ulong Hidden = 256;
    private const ulong Keys = 128;
    private const ulong Intermediate = 512;
    private const ulong Vocabulary = 640;
    private const int Layers = 2;

    /// <summary>The types with blocks of 256 that can be decoded.</summary>
    public static GgufTensorType[] Types { get; } =
    [
        GgufTensorType.Q2_K, GgufTensorType.Q3_K, GgufTensorType.Q4_K, GgufTensorType.Q5_K, GgufTensorType.Q6_K,
    ];

    /// <summary>A model whose matrices are all of one type.</summary>
    public static byte[] Bytes(GgufTensorType type)
    {
        var random = new Random((int)type);
        var builder = new GgufBuilder()
            .Add("general.architecture", "llama").Add("llama.block_count", (uint)Layers)
            .Add("llama.context_length", 512u).Add("llama.embedding_length", (uint)Hidden)
            .Add("llama.feed_forward_length", (uint)Intermediate)
            .Add("llama.attention.head_count", 4u).Add("llama.attention.head_count_kv", 2u)
            .Add("llama.attention.layer_norm_rms_epsilon", 1e-5f).Add("llama.rope.freq_base", 10_000f);
        AddMatrix("token_embd", Hidden, Vocabulary);
        AddNorm("output_norm");
        for (var layer = 0; layer < Layers; layer++)
        {
            AddNorm($"blk.{layer}.attn_norm");
            AddNorm($"blk.{layer}.ffn_norm");
            AddMatrix($"blk.{layer}.attn_q", Hidden, Hidden);
            AddMatrix($"blk.{layer}.attn_k", Hidden, Keys);
            AddMatrix($"blk.{layer}.attn_v", Hidden, Keys);
            AddMatrix($"blk.{layer}.attn_output", Hidden, Hidden);
            AddMatrix($"blk.{layer}.ffn_gate", Hidden, Intermediate);
            AddMatrix($"blk.{layer}.ffn_up", Hidden, Intermediate);
            AddMatrix($"blk.{layer}.ffn_down", Intermediate, Hidden);
        }

        return builder
            .WithTokenizerOf(GgufBuilder.Read(File.ReadAllBytes(Assets.Tiny(TinyModels.Folders[0])))).Build();

        void AddMatrix(string name, ulong columns, ulong rows) => builder.StoredTensor(
            $"{name}.weight", type, Blocks(type, (int)(columns * rows / 256), random), columns, rows);

        void AddNorm(string name) => builder.StoredTensor(
            $"{name}.weight",
            GgufTensorType.F32,
            MemoryMarshal.AsBytes<float>(Enumerable.Repeat(1f, (int)Hidden).ToArray()).ToArray(),
            Hidden);
    }

    /// <summary>Random blocks whose values are around zero, about 0.06 in size.</summary>
    public static byte[] Blocks(GgufTensorType type, int count, Random random)
    {
        var (scale, scaleOffset, minimum) = type switch
        {
            GgufTensorType.Q2_K => (5e-3, 80, 1.5),
            GgufTensorType.Q3_K => (1.4e-3, 108, 0),
            GgufTensorType.Q4_K => (2e-4, 0, 7.5),
            GgufTensorType.Q5_K => (1e-4, 0, 15.5),
            _ => (4.4e-5, 208, 0),
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
}
