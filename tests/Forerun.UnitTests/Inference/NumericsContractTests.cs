using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>The bits of the engine are a contract among machines, named by <see cref="LanguageModel.NumericsId"/>: these
/// fixed values hold on x86-64 and Arm64, on every instruction set, for every family and tensor type. Whoever changes
/// them changes texts, and must change the numerics id.</summary>
public class NumericsContractTests
{
    [Theory]
    [InlineData("smollm-gqa-tied-q8_0", 12131611992242409282UL)]
    [InlineData("smollm-gqa-tied-q4_1", 12852298904432790293UL)]
    [InlineData("smollm-gqa-tied-q4_0", 15901355537367182150UL)]
    [InlineData("smollm-gqa-tied-q5_0", 12856084411041179998UL)]
    [InlineData("smollm-gqa-tied-q5_1", 17991963600500070886UL)]
    [InlineData("smollm-gqa-tied-f16", 10220375125227525114UL)]
    [InlineData("smollm-gqa-tied-bf16", 5756347818261277878UL)]
    [InlineData("llama-gpt2-tokenizer", 2470647958124880267UL)]
    [InlineData("llama2-mha-spm", 10161720218238079089UL)]
    [InlineData("llama-gqa-linear-rope", 2701375991711401080UL)]
    [InlineData("llama3-gqa-scaled-rope", 16835704253632075389UL)]
    [InlineData("qwen2-bias", 7662177161931800513UL)]
    [InlineData("qwen3-qknorm", 13753237632059907660UL)]
    public void Logits_OfHundredTokens_HaveTheseBits(string folder, ulong expected) =>
        Check(expected, set => TinyModels.Load(folder, instructionSet: set), "int8-v1");

    [Theory]
    [InlineData(GgufTensorType.Q2_K, 573499477600262151UL)]
    [InlineData(GgufTensorType.Q3_K, 1640548986694074391UL)]
    [InlineData(GgufTensorType.Q4_K, 9143453643489962755UL)]
    [InlineData(GgufTensorType.Q5_K, 58436318332339836UL)]
    [InlineData(GgufTensorType.Q6_K, 9030794860238985025UL)]
    public void Logits_OfSuperBlocks_HaveTheseBits(GgufTensorType type, ulong expected)
    {
        var bytes = SyntheticModel.Bytes(type);
        Check(
            expected,
            set => LanguageModel.Load(
                GgufFile.FromBytes(bytes, "random.gguf"), new ModelLoadOptions { Threads = 1, InstructionSet = set }),
            "int8-v1");
    }

    [Theory]
    [InlineData("llama2-mha-spm", 2300144328935649632UL)]
    [InlineData("qwen2-bias", 4014693378222630521UL)]
    [InlineData("qwen3-qknorm", 485511010878502263UL)]
    public void Logits_OfOriginalWeights_HaveTheseBits(string folder, ulong expected) =>
        Check(expected, set => TinyModels.Load(folder, WeightFormat.Original, instructionSet: set), "f32-v1");

    private static void Check(ulong expected, Func<InstructionSet, LanguageModel> load, string numericsId)
    {
        foreach (var set in InstructionSets.All)
        {
            using var model = load(set);
            Assert.Equal(numericsId, model.NumericsId);
            Assert.Equal(expected, Hash(model));
        }
    }

    private static ulong Hash(LanguageModel model)
    {
        using var pass = model.CreatePass();
        using var cache = model.CreateCache();
        var batch = new ForwardBatch();
        var random = new Random(7);
        batch.Add(cache, [.. Enumerable.Range(0, 100).Select(_ => random.Next(model.Config.VocabSize))], logitRows: 20);
        pass.Run(batch);
        var hash = 14695981039346656037UL;
        for (var row = 0; row < batch.LogitRowCount; row++)
        {
            foreach (var logit in pass.Logits(row))
            {
                hash = (hash ^ BitConverter.SingleToUInt32Bits(logit)) * 1099511628211UL;
            }
        }

        return hash;
    }
}
