using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;

namespace Forerun.UnitTests.Gguf;

public class GgufFuzzTests
{
    private const int MutationsPerFile = 500;
    private const long MaxAllocatedBytes = 64 << 20;

    [Theory]
    [InlineData("smollm-gqa-tied-q4_1")]
    [InlineData("smollm-gqa-tied-q8_0")]
    public void Load_MutatedFile_LoadsOrIsRefused(string folder)
    {
        Check(folder, File.ReadAllBytes(Assets.Tiny(folder)));
    }

    [Theory]
    [InlineData(GgufTensorType.Q4_K)]
    [InlineData(GgufTensorType.Q6_K)]
    public void Load_MutatedFileOfSuperBlocks_LoadsOrIsRefused(GgufTensorType type) =>
        Check($"{type}", SyntheticModel.Bytes(type));

    private static void Check(string name, byte[] original)
    {
        var mutator = new GgufMutator(original);
        var refused = 0;
        for (var seed = 0; seed < MutationsPerFile; seed++)
        {
            var bytes = mutator.Mutate(seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => Load(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocatedBytes);
            if (error is not null)
            {
                Assert.True(error is InvalidDataException, $"Seed {seed} of {name}: {error}");
                refused++;
            }
        }

        Assert.InRange(refused, MutationsPerFile / 4, MutationsPerFile - 1);
    }

    [Theory]
    [InlineData("llama2-mha-spm")]
    [InlineData("llama3-gqa-scaled-rope")]
    [InlineData("llama-gpt2-tokenizer")]
    [InlineData("qwen2-bias")]
    public void From_MutatedTokenizer_EncodesOrIsRefused(string folder)
    {
        var mutator = new GgufMutator(File.ReadAllBytes(Assets.Tiny(folder)));
        for (var seed = 0; seed < MutationsPerFile; seed++)
        {
            var bytes = mutator.Mutate(seed);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => LoadTexts(bytes));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaxAllocatedBytes);
            Assert.True(error is null or InvalidDataException, $"Seed {seed} of {folder}: {error}");
        }
    }

    private static void LoadTexts(byte[] bytes)
    {
        using var file = GgufFile.FromBytes(bytes, "mutated.gguf");
        var tokenizer = Tokenizer.From(file);
        tokenizer.Decode(tokenizer.Encode("Hello world 123 \u2581 中😀<|im_end|></s>").AsSpan());
        ChatTemplate.From(file, out _);
    }

    private static void Load(byte[] bytes)
    {
        using var file = GgufFile.FromBytes(bytes, "mutated.gguf");
        ModelConfig.From(file);
        Tokenizer.From(file).Encode("Hello world 123 <|im_end|>");
        ChatTemplate.From(file, out _);
        foreach (var tensor in file.Tensors.Values)
        {
            file.Row(tensor, tensor.RowCount - 1).ToArray();
        }
    }
}
