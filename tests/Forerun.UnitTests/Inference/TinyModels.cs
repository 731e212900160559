using System.Buffers.Binary;
using System.Text;
using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>The tiny models of the test assets, loaded in a moment.</summary>
internal static class TinyModels
{
    /// <summary>One model per tensor type.</summary>
    public static string[] Folders { get; } =
    [
        "smollm-gqa-tied-f16", "smollm-gqa-tied-bf16", "smollm-gqa-tied-q8_0", "smollm-gqa-tied-q4_0",
        "smollm-gqa-tied-q4_1", "smollm-gqa-tied-q5_0", "smollm-gqa-tied-q5_1",
    ];

    /// <summary>One model per shape and family, F32.</summary>
    public static string[] OtherShapes { get; } =
        ["llama2-mha-spm", "llama-gqa-linear-rope", "llama3-gqa-scaled-rope", "qwen2-bias", "qwen3-qknorm"];

    /// <summary>Every tiny model.</summary>
    public static string[] All { get; } = [.. Folders, .. OtherShapes, "llama-gpt2-tokenizer"];

    /// <summary>Loads a model; the caller disposes of it.</summary>
    public static LanguageModel Load(
        string folder,
        WeightFormat weights = WeightFormat.Packed,
        int threads = 1,
        InstructionSet? instructionSet = null) =>
        LanguageModel.Load(Assets.Tiny(folder), Options(weights, threads, instructionSet));

    /// <summary>Loads a model whose file says another context length.</summary>
    public static LanguageModel LoadWithContext(
        string folder, uint contextLength, WeightFormat weights, int threads, InstructionSet? instructionSet = null)
    {
        var bytes = File.ReadAllBytes(Assets.Tiny(folder));
        var key = Encoding.ASCII.GetBytes("llama.context_length");
        var value = bytes.AsSpan().IndexOf(key) + key.Length + sizeof(uint);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(value), contextLength);
        return LanguageModel.Load(
            GgufFile.FromBytes(bytes, folder), Options(weights, threads, instructionSet));
    }

    /// <summary>Some tokens of the tiny vocabulary; the same seed gives the same ones.</summary>
    public static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(640))];
    }

    private static ModelLoadOptions Options(WeightFormat weights, int threads, InstructionSet? instructionSet) =>
        new() { Weights = weights, Threads = threads, InstructionSet = instructionSet };
}
