using Forerun.Inference;
using Forerun.Inference.Gguf;
using static Forerun.UnitTests.Gguf.Assets;

namespace Forerun.UnitTests.Gguf;

public class ModelConfigTests
{
    [Fact]
    public void From_BundledTarget_ReadsEverything()
    {
        using var file = GgufFile.Open(Target);
        var config = ModelConfig.From(file);
        Assert.Equal(
            new ModelConfig
            {
                Architecture = "llama",
                Name = "Smollm2 135M 8k Lc100K Mix1 Ep2",
                HiddenSize = 576,
                IntermediateSize = 1536,
                NumHiddenLayers = 30,
                NumAttentionHeads = 9,
                NumKeyValueHeads = 3,
                HeadDim = 64,
                VocabSize = 49_152,
                EmbeddingRows = 49_152,
                MaxPositionEmbeddings = 8192,
                RmsNormEps = 1e-5f,
                RopeTheta = 100_000,
                RopeScalingFactor = 1,
                TieWordEmbeddings = true,
                DraftVocabulary = [],
            },
            config);
        Assert.Equal(49_152, config.HeadRows);
    }

    [Fact]
    public void From_BundledDraftModel_ReadsTheDraftVocabulary()
    {
        using var file = GgufFile.Open(DraftModel);
        var config = ModelConfig.From(file);
        Assert.Equal(12_288, config.HeadRows);
        Assert.Equal([2, 17, 18], config.DraftVocabulary[..3]);
        Assert.False(config.TieWordEmbeddings);
    }

    [Fact]
    public void From_LinearRope_ReadsTheFactorWithoutNeedingTheTokenizer()
    {
        using var file = GgufFile.Open(Tiny("llama-gqa-linear-rope"));
        var config = ModelConfig.From(file);
        Assert.Equal(4, config.RopeScalingFactor);
        Assert.Equal(2, config.NumKeyValueHeads);
        Assert.False(config.TieWordEmbeddings);
    }

    [Fact]
    public void From_SmallestModel_FillsInWhatTheFileMayLeaveOut()
    {
        using var file = GgufBuilder.Llama()
            .Set("llama.attention.head_count_kv", null).Set("llama.rope.freq_base", null)
            .SetTensor("blk.0.attn_k.weight", GgufTensorType.F32, 32, 32)
            .SetTensor("blk.0.attn_v.weight", GgufTensorType.F32, 32, 32)
            .Tensor("rope_freqs.weight", 8).Open();
        var config = ModelConfig.From(file);
        Assert.Equal("test.gguf", config.Name);
        Assert.Equal(2, config.NumKeyValueHeads);
        Assert.Equal(16, config.HeadDim);
        Assert.Equal(10_000, config.RopeTheta);
        Assert.Equal(1, config.RopeScalingFactor);
    }

    public static TheoryData<string, object?, string> RefusedKeys => new()
    {
        {
            "general.architecture", "gpt9",
            "its architecture is \"gpt9\", which is not supported. Supported are llama, qwen2, qwen3."
        },
        { "llama.block_count", null, "key \"llama.block_count\" is missing." },
        { "llama.block_count", 2u, "tensor \"blk.1.attn_norm.weight\" is missing." },
        { "llama.block_count", 1001u, "key \"llama.block_count\" is 1001; expected 1 to 1000." },
        { "llama.context_length", 0u, "key \"llama.context_length\" is 0; expected 1 to 1048576." },
        {
            "llama.embedding_length", 48u,
            "key \"llama.embedding_length\" is 48; expected 1 to 1048576 and a multiple of 32."
        },
        {
            "llama.embedding_length", 64u,
            "tensor \"token_embd.weight\" has shape [8, 32]; expected [8, 64]."
        },
        {
            "llama.attention.head_count", 3u,
            "3 heads have 10 elements each; expected a multiple of 16 up to 256, and a multiple of 32 over all heads."
        },
        {
            "llama.attention.head_count_kv", 3u,
            "key \"llama.attention.head_count_kv\" is 3; expected 1 to 2."
        },
        {
            "llama.rope.dimension_count", 8u,
            "keys have 16 elements per head, values 16, the rotary part 8; only equal numbers are supported."
        },
        {
            "llama.attention.value_length", 32u,
            "keys have 16 elements per head, values 32, the rotary part 16; only equal numbers are supported."
        },
        {
            "llama.expert_count", 8u,
            "key \"llama.expert_count\" is 8: a mixture of experts is not supported. Use a model without it."
        },
        {
            "llama.attention.sliding_window", 4096u,
            "key \"llama.attention.sliding_window\" is 4096: sliding-window attention is not supported. "
            + "Use a model without it."
        },
        {
            "llama.rope.scaling.type", "yarn",
            "key \"llama.rope.scaling.type\" is \"yarn\", which is not supported. "
            + "Supported are \"none\" and \"linear\"."
        },
        { "llama.rope.freq_base", float.NaN, "key \"llama.rope.freq_base\" is NaN; expected a positive number." },
        {
            "llama.vocab_size", 9u,
            "the vocabulary has 9 tokens and \"token_embd.weight\" 8 rows; expected 1 to 1048576 rows, at least one for "
            + "each token. Get the file again."
        },
        {
            "forerun.draft_vocabulary", new[] { 1, 1 },
            "key \"forerun.draft_vocabulary\" holds 1 after 1; expected ascending token ids below 8."
        },
        { "forerun.draft_vocabulary", new[] { 1, 3 }, "tensor \"output.weight\" is missing." },
    };

    [Theory]
    [MemberData(nameof(RefusedKeys))]
    public void From_ImplausibleKey_SaysWhatIsWrong(string key, object? value, string message)
    {
        using var file = GgufBuilder.Llama().Set(key, value).Open();
        AssertRefused(file, $"\"test.gguf\" cannot be used: {message}");
    }

    [Fact]
    public void From_BiasTensor_IsRefusedByName()
    {
        using var file = GgufBuilder.Llama().Tensor("blk.0.attn_q.bias", 32).Open();
        AssertRefused(file, "\"test.gguf\" cannot be used: tensor \"blk.0.attn_q.bias\" is no part of a \"llama\" "
            + "model as it is supported here. Use a model without it.");
    }

    [Fact]
    public void From_TensorTypeWithoutDecoder_IsRefusedByName()
    {
        using var file = GgufBuilder.Llama()
            .SetTensor("blk.0.attn_q.weight", GgufTensorType.IQ4_NL, 32, 32).Open();
        AssertRefused(file, "The type of tensor \"blk.0.attn_q.weight\" is IQ4_NL, which is not supported. "
            + "Supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K. "
            + "Convert the model to one of them.");
    }

    [Theory]
    [InlineData("qwen2-bias", "qwen2", 16)]
    [InlineData("qwen3-qknorm", "qwen3", 32)]
    public void From_OtherFamily_ReadsTheKeysUnderItsName(string folder, string architecture, int headDim)
    {
        using var file = GgufFile.Open(Tiny(folder));
        var config = ModelConfig.From(file);
        Assert.Equal((architecture, headDim), (config.Architecture, config.HeadDim));
    }

    [Theory]
    [InlineData("qwen2", "blk.0.attn_q.bias")]
    [InlineData("qwen3", "blk.0.attn_q_norm.weight")]
    public void From_FamilysOwnTensorMissing_IsRefusedByName(string architecture, string tensor)
    {
        using var file = GgufBuilder.Llama(architecture).Open();
        AssertRefused(file, $"\"test.gguf\" cannot be used: tensor \"{tensor}\" is missing.");
    }

    [Theory]
    [InlineData("qwen2")]
    [InlineData("qwen3")]
    public void From_SlidingWindowOfAnotherFamily_IsRefusedByItsKey(string architecture)
    {
        using var file = GgufBuilder.Llama(architecture).Set($"{architecture}.attention.sliding_window", 8u).Open();
        AssertRefused(file, $"\"test.gguf\" cannot be used: key \"{architecture}.attention.sliding_window\" is 8: "
            + "sliding-window attention is not supported. Use a model without it.");
    }

    private static void AssertRefused(GgufFile file, string message) =>
        Assert.Equal(message, Assert.Throws<InvalidDataException>(() => ModelConfig.From(file)).Message);
}
