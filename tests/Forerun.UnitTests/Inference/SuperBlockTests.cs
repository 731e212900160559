using Forerun.Core.Numerics;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>Models of K types: every path gives the bits of row-by-row decoding on the plain one, and packing changes
/// the distributions little.</summary>
public class SuperBlockTests
{
    private const int Length = 72;

    private static readonly int[][] Texts = [TinyModels.Tokens(21, Length), TinyModels.Tokens(22, Length)];

    public static TheoryData<GgufTensorType> Types => [.. SyntheticModel.SuperBlockTypes];

    [Theory]
    [MemberData(nameof(Types))]
    public void Run_RaggedBatchesOnEveryInstructionSet_SameBitsAsDecodingRowByRow(GgufTensorType type)
    {
        var bytes = SyntheticModel.Bytes(type);
        float[][][] expected;
        using (var model = Load(bytes, WeightFormat.Packed, 1, InstructionSet.Portable))
        {
            expected = Array.ConvertAll(Texts, text => DecodeRowByRow(model, text));
        }

        var threads = 1;
        foreach (var set in InstructionSets.All)
        {
            using var model = Load(bytes, WeightFormat.Packed, threads, set);
            Follow(model, expected, $"{type}, {set}, {threads} threads");
            threads = (threads % 3) + 1;
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Packed_DistributionsAreCloseToTheOriginal(GgufTensorType type)
    {
        var bytes = SyntheticModel.Bytes(type);
        using var packed = Load(bytes, WeightFormat.Packed, 2);
        using var original = Load(bytes, WeightFormat.Original, 2);
        var divergences = original.Score(Texts[0]).Zip(packed.Score(Texts[0]), Divergence).ToArray();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{type}: KL mean {divergences.Average():G3}, largest {divergences.Max():G3}.");
        Assert.InRange(divergences.Average(), -1e-6, 0.01);
        Assert.InRange(divergences.Max(), -1e-6, 0.1);
    }

    private static LanguageModel Load(
        byte[] bytes, WeightFormat weights, int threads, InstructionSet? instructionSet = null) => LanguageModel.Load(
        GgufFile.FromBytes(bytes, "random.gguf"),
        new ModelLoadOptions { Weights = weights, Threads = threads, InstructionSet = instructionSet });

    private static float[][] DecodeRowByRow(LanguageModel model, int[] text)
    {
        using var cache = model.CreateCache();
        return Array.ConvertAll(text, token => model.Append(cache, [token])[0]);
    }

    /// <summary>Both texts in four passes of different cuts.</summary>
    private static void Follow(LanguageModel model, float[][][] expected, string what)
    {
        using var pass = model.CreatePass(2 * Length, 2 * Length);
        KvCache[] caches = [model.CreateCache(), model.CreateCache()];
        var batch = new ForwardBatch();
        foreach (var counts in (int[][])[[1, 17], [8, 3], [60, 1], [3, 51]])
        {
            batch.Clear();
            var from = Array.ConvertAll(caches, cache => cache.Length);
            int[] rows =
            [
                batch.Add(caches[0], Texts[0].AsSpan(from[0], counts[0]), counts[0]),
                batch.Add(caches[1], Texts[1].AsSpan(from[1], counts[1]), counts[1]),
            ];
            pass.Run(batch);
            for (var text = 0; text < 2; text++)
            {
                for (var i = 0; i < counts[text]; i++)
                {
                    var position = from[text] + i;
                    Passes.AssertSameBits(
                        expected[text][position],
                        pass.Logits(rows[text] + i),
                        $"{what}, text {text}, position {position}");
                }
            }
        }

        Array.ForEach(caches, cache => cache.Dispose());
    }

    private static double Divergence(float[] expected, float[] actual)
    {
        var (p, q) = (Distributions.LogSumExp(expected), Distributions.LogSumExp(actual));
        return expected.Zip(actual, (a, b) => Math.Exp(a - p) * (a - p - (b - q))).Sum();
    }
}
