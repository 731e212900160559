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

    [Theory]
    [InlineData("smollm-gqa-tied-q8_0", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_0", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.Packed)]
    [InlineData("smollm-gqa-tied-q4_1", WeightFormat.Original)]
    [InlineData("smollm-gqa-tied-bf16", WeightFormat.Original)]
    public void Pack_KeepsTheNumbersBitForBit(string folder, WeightFormat weights) =>
        ForEachRow(folder, weights, (expected, actual, name) => Passes.AssertSameBits(expected, actual, name));

    [Theory]
    [InlineData("smollm-gqa-tied-f16")]
    [InlineData("smollm-gqa-tied-bf16")]
    public void Pack_Floats_RoundsToTheNearestStepOfTheBlock(string folder) =>
        ForEachRow(folder, WeightFormat.Packed, (expected, actual, name) =>
        {
            for (var i = 0; i < expected.Length; i++)
            {
                var step = expected.AsSpan(i / 32 * 32, 32).ToArray().Max(MathF.Abs) / 127;
                Assert.Equal(expected[i], actual[i], step * 0.57f);
            }
        });

    private static void ForEachRow(string folder, WeightFormat weights, Action<float[], float[], string> check)
    {
        using var file = GgufFile.Open(Assets.Tiny(folder));
        using var workers = new WorkerPool(2);
        foreach (var name in Tensors)
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
                check(expected, actual, $"{name}, row {row}");
            }
        }
    }
}
