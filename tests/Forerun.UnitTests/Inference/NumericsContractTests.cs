using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>The bits of the engine are a contract among machines, named by <see cref="LanguageModel.NumericsId"/>: these
/// fixed values hold on x86-64 and Arm64, on every instruction set. Whoever changes them changes texts, and must change
/// the numerics id.</summary>
public class NumericsContractTests
{
    [Theory]
    [InlineData("smollm-gqa-tied-q8_0", 12131611992242409282UL)]
    [InlineData("smollm-gqa-tied-q4_1", 12852298904432790293UL)]
    [InlineData("smollm-gqa-tied-q4_0", 15901355537367182150UL)]
    public void Logits_OfHundredTokens_HaveTheseBits(string folder, ulong expected)
    {
        foreach (var set in InstructionSets.All)
        {
            using var model = LanguageModel.Load(Assets.Tiny(folder), new() { Threads = 1, InstructionSet = set });
            Assert.Equal("int8-v1", model.NumericsId);
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
