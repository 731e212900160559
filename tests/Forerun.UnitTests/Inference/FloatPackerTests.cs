using CsCheck;
using Forerun.Inference.Weights;
using Forerun.UnitTests.Inference.Kernels;

namespace Forerun.UnitTests.Inference;

/// <summary>What packing keeps of float weights.</summary>
public sealed class FloatPackerTests
{
    private const int Rows = 19;
    private const int Columns = 96;

    [Theory]
    [InlineData(TileFormat.F32, 0f)]
    [InlineData(TileFormat.Q8, 1f / 127)]
    [InlineData(TileFormat.Q4Minimum, 1f / 15)]
    public void Pack_AnyValues_EachWithinAStepOfItself(TileFormat format, float step) =>
        Gen.Select(Gen.Float[-4, 4].Array[Rows * Columns], Gen.Float[-2, 2]).Sample((values, shift) =>
        {
            values = Array.ConvertAll(values, value => value + shift);
            var layout = new MatrixLayout(format, Rows, Columns);
            using var arena = new WeightArena(layout.ArenaBytes);
            var matrix = FloatPacker.Pack(values, layout, arena);
            for (var i = 0; i < values.Length; i++)
            {
                // Half a step, and scales of half precision.
                var block = values[(i / 32 * 32)..][..32];
                var range = format == TileFormat.Q8 ? block.Max(MathF.Abs) : block.Max() - block.Min();
                Assert.Equal(values[i], ScalarReference.Weight(matrix, i / Columns, i % Columns), (range * step * 0.52) + (format == TileFormat.F32 ? 0 : 0.008));
            }
        }, iter: 50);

    [Fact]
    public void RoundToNibbles_AnyValues_IsWhatPackingKeeps() => Gen.Float[-4, 4].Array[Rows * Columns].Sample(values =>
    {
        Array.Fill(values, 0.25f, 32, 32);
        var layout = new MatrixLayout(TileFormat.Q4Minimum, Rows, Columns);
        using var arena = new WeightArena(layout.ArenaBytes);
        var matrix = FloatPacker.Pack(values, layout, arena);
        FloatPacker.RoundToNibbles(values);
        for (var i = 0; i < values.Length; i++)
        {
            Assert.Equal(values[i], ScalarReference.Weight(matrix, i / Columns, i % Columns));
        }

        Assert.Equal(0.25f, values[40]);
    }, iter: 50);
}
