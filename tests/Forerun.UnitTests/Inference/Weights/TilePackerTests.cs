using System.Buffers.Binary;
using Forerun.Inference;
using Forerun.Inference.Execution;
using Forerun.Inference.Gguf;
using Forerun.Inference.Weights;
using Forerun.UnitTests.Gguf;
using Forerun.UnitTests.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Weights;

public class TilePackerTests
{
    private static readonly string[] Tensors = ["token_embd.weight", "blk.1.attn_k.weight", "blk.3.ffn_down.weight"];

    private delegate void RowCheck(float[] expected, float[] actual, string name, byte[] stored);

    [Theory]
    [InlineData("smollm-gqa-tied-q8_0", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_0", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q5_0", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_0", WeightFormat.FourBit)]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.FourBit)]
    [InlineData("smollm-gqa-tied-q5_0", WeightFormat.Original)]
    [InlineData("smollm-gqa-tied-q5_1", WeightFormat.Original)]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.Original)]
    [InlineData("smollm-gqa-tied-bf16", WeightFormat.Original)]
    public void Pack_KeepsTheNumbersBitForBit(string folder, WeightFormat weights) =>
        ForEachRow(folder, weights, (expected, actual, name, _) => Passes.AssertSameBits(expected, actual, name));

    [Theory]
    [InlineData("smollm-gqa-tied-f16")]
    [InlineData("smollm-gqa-tied-bf16")]
    [InlineData("smollm-gqa-tied-q5_1")]
    [InlineData("llama2-mha-spm")]
    public void Pack_Floats_RoundsToTheNearestStepOfTheBlock(string folder) =>
        CheckRounding(folder, check => ForEachRow(folder, WeightFormat.Packed, check));

    [Theory]
    [InlineData("smollm-gqa-tied-q8_0")]
    [InlineData("smollm-gqa-tied-f16")]
    public void Pack_FourBit_RoundsToOneOfSixteenStepsOfTheBlock(string folder)
    {
        var (error, size) = (0.0, 0.0);
        ForEachRow(folder, WeightFormat.FourBit, (expected, actual, name, _) =>
        {
            for (var i = 0; i < expected.Length; i++)
            {
                var block = expected.AsSpan(i / 32 * 32, 32).ToArray();
                Assert.Equal(expected[i], actual[i], (block.Max() - block.Min()) / 15 * 0.52f);
                error += Math.Pow(expected[i] - actual[i], 2);
                size += Math.Pow(expected[i], 2);
            }
        });
        Tell($"{folder}: root mean square error {Math.Sqrt(error / size):P3} of the values.");
        Assert.InRange(Math.Sqrt(error / size), 0.04, 0.1);
    }

    [Theory]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q3_K)]
    [InlineData(GgufTensorType.Q5_K)]
    [InlineData(GgufTensorType.Q6_K)]
    public void Pack_SuperBlocks_RoundsToTheNearestStepOfTheBlock(GgufTensorType type) =>
        CheckRounding($"{type}", check => ForEachRowOfSuperBlocks(type, WeightFormat.Packed, check));

    /// <summary>The integers stay; scale and minimum move by at most 2^-11 of themselves, or by half a step of the
    /// halves below 2^-14.</summary>
    [Fact]
    public void Pack_Q4_K_RoundsScalesAndMinimaToHalf()
    {
        const float HalfStep = 1f / (1 << 25);
        var (error, size) = (0.0, 0.0);
        ForEachRowOfSuperBlocks(GgufTensorType.Q4_K, WeightFormat.Packed, (expected, actual, name, stored) =>
        {
            for (var i = 0; i < expected.Length; i++)
            {
                var block = stored.AsSpan(i / 256 * 144, 144);
                var minimum = (float)BinaryPrimitives.ReadHalfLittleEndian(block[2..])
                    * SuperBlocks.EighthScale(block[4..], i % 256 / 32).Minimum;
                var rounding = ((expected[i] + minimum + minimum) / 2048) + (16 * HalfStep);
                Assert.Equal(expected[i], actual[i], rounding * 1.001f);
                error += Math.Pow(expected[i] - actual[i], 2);
                size += Math.Pow(expected[i], 2);
            }
        });
        Tell($"Q4_K: root mean square error {Math.Sqrt(error / size):P4} of the values.");
        Assert.InRange(Math.Sqrt(error / size), 0, 4e-4);
    }

    [Theory]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q3_K)]
    [InlineData(GgufTensorType.Q4_K)]
    [InlineData(GgufTensorType.Q5_K)]
    [InlineData(GgufTensorType.Q6_K)]
    public void Pack_SuperBlocksOriginal_KeepsTheNumbersBitForBit(GgufTensorType type) =>
        ForEachRowOfSuperBlocks(
            type, WeightFormat.Original, (expected, actual, name, _) => Passes.AssertSameBits(expected, actual, name));

    [Theory]
    [InlineData("Q4, exact", GgufTensorType.Q4_0)]
    [InlineData("Q4Minimum, exact", GgufTensorType.Q4_1)]
    [InlineData("Q8, exact", GgufTensorType.Q8_0, GgufTensorType.Q5_0)]
    [InlineData("Q4Minimum, scales rounded to half (rms error below 0.04 %)", GgufTensorType.Q4_K)]
    [InlineData(
        "Q8, rounded to 8 bits per 32 (rms error below 0.6 %)",
        GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16, GgufTensorType.Q5_1,
        GgufTensorType.Q2_K, GgufTensorType.Q3_K, GgufTensorType.Q5_K, GgufTensorType.Q6_K)]
    [InlineData(null, GgufTensorType.IQ4_XS)]
    public void PackedFormat_SaysWhatBecomesOfTheValues(string? expected, params GgufTensorType[] types) =>
        Assert.All(types, type => Assert.Equal(expected, LanguageModel.PackedFormat(type)));

    private static void CheckRounding(string what, Action<RowCheck> forEachRow)
    {
        var (error, size) = (0.0, 0.0);
        forEachRow((expected, actual, _, _) =>
        {
            AssertRounded(expected, actual);
            error += expected.Zip(actual, (a, b) => Math.Pow(a - b, 2)).Sum();
            size += expected.Sum(a => Math.Pow(a, 2));
        });
        Tell($"{what}: root mean square error {Math.Sqrt(error / size):P3} of the values.");
        Assert.InRange(Math.Sqrt(error / size), 0.001, 0.006);
    }

    private static void Tell(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    private static void AssertRounded(float[] expected, float[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            var step = expected.AsSpan(i / 32 * 32, 32).ToArray().Max(MathF.Abs) / 127;
            Assert.Equal(expected[i], actual[i], step * 0.57f);
        }
    }

    private static void ForEachRowOfSuperBlocks(
        GgufTensorType type, WeightFormat weights, RowCheck check)
    {
        using var file = GgufFile.FromBytes(SyntheticModel.Bytes(type), "random.gguf");
        ForEachRow(file, ["blk.0.attn_k.weight", "blk.1.ffn_down.weight"], weights, check);
    }

    private static void ForEachRow(string folder, WeightFormat weights, RowCheck check)
    {
        using var file = GgufFile.Open(Assets.Tiny(folder));
        ForEachRow(file, Tensors, weights, check);
    }

    private static void ForEachRow(
        GgufFile file, string[] names, WeightFormat weights, RowCheck check)
    {
        using var workers = new WorkerPool(2);
        foreach (var name in names)
        {
            var tensor = file.Tensor(name);
            using var arena = new WeightArena(TilePacker.LayoutOf(tensor, weights).ArenaBytes);
            var matrix = new TilePacker(file, weights, workers, arena).Pack(name);
            Assert.Equal((tensor.RowCount, tensor.RowLength), (matrix.Rows, matrix.Columns));
            var expected = new float[matrix.Columns];
            for (var row = 0; row < matrix.Rows; row++)
            {
                TensorDecoder.DecodeRow(tensor.Type, file.Row(tensor, row), expected);
                var actual = Enumerable.Range(0, matrix.Columns)
                    .Select(column => ScalarReference.Weight(matrix, row, column)).ToArray();
                check(expected, actual, $"{name}, row {row}", file.Row(tensor, row).ToArray());
            }
        }
    }
}
