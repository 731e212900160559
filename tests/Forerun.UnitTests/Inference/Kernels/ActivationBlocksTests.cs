using CsCheck;
using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Kernels;

public unsafe class ActivationBlocksTests
{
    [Fact]
    public void Quantize_AnyNumbers_SameAsThePlainLoop()
    {
        var magnitudes = Gen.OneOf(
            Gen.Float[-10f, 10f], Gen.Float[-1e-37f, 1e-37f], Gen.Float[-1e38f, 1e38f], Gen.Const(0f), Gen.Const(-0f));
        Gen.Select(Gen.Float[-3f, 3f].Array[96], magnitudes.Array[32], Gen.Int[1, 17], Gen.Int[1, 8]).Sample(
            (plain, odd, rows, maxRows) => Check([.. plain, .. odd], rows, maxRows), iter: 300, threads: 1);
    }

    [Fact]
    public void Quantize_BlocksOfOneMagnitude_SameAsThePlainLoop()
    {
        foreach (var magnitude in new[] { 0f, float.Epsilon, 1e-40f, 3.7e-37f, 1.2e-36f, 1f, 65_504f, float.MaxValue })
        {
            Check([.. Enumerable.Range(0, 64).Select(i => ((i % 5) - 2) / 2f * magnitude)], rows: 3, maxRows: 4);
        }
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(6, 6)]
    [InlineData(7, 6)]
    [InlineData(17, 4)]
    [InlineData(128, 6)]
    public void RowGroups_CoverAllRowsInAlmostEqualParts(int rows, int maxRows)
    {
        var groups = new RowGroups(rows, maxRows);
        var next = 0;
        for (var group = 0; group < groups.Count; group++)
        {
            Assert.Equal(next, groups.Start(group));
            Assert.InRange(groups.Size(group), rows / groups.Count, Math.Min(maxRows, (rows / groups.Count) + 1));
            for (var i = 0; i < groups.Size(group); i++, next++)
            {
                Assert.Equal(group, groups.GroupOf(next));
            }
        }

        Assert.Equal(rows, next);
        Assert.Equal((rows + maxRows - 1) / maxRows, groups.Count);
    }

    private static void Check(float[] source, int rows, int maxRows)
    {
        var groups = new RowGroups(rows, maxRows);
        using var blocks = new NativeBuffer(ActivationBlocks.Bytes(rows, source.Length), clear: true);
        for (var row = 0; row < rows; row++)
        {
            var scaled = Row(source, row);
            fixed (float* x = scaled)
            {
                // In two parts, as two workers would.
                ActivationBlocks.Quantize(x, source.Length, 32, source.Length, blocks.Pointer, groups, row);
                ActivationBlocks.Quantize(x, source.Length, 0, 32, blocks.Pointer, groups, row);
            }
        }

        for (var row = 0; row < rows; row++)
        {
            CheckRow(ScalarReference.Quantize(Row(source, row)), blocks.Pointer, groups, row, source.Length);
        }
    }

    /// <summary>Another row of the same kind.</summary>
    private static float[] Row(float[] source, int row) =>
        [.. source.Select((value, i) => (i + row) % 3 == 0 ? -value : value)];

    private static void CheckRow(ScalarReference.Row expected, byte* blocks, in RowGroups groups, int row, int columns)
    {
        var group = groups.GroupOf(row);
        var size = groups.Size(group);
        var index = row - groups.Start(group);
        for (var block = 0; block < columns / 32; block++)
        {
            var start = blocks + ActivationBlocks.Bytes(groups.Start(group), columns)
                + (block * ActivationBlocks.BytesPerRow * size);
            for (var i = 0; i < 32; i++)
            {
                var quant = (sbyte)start[(i / 4 * 4 * size) + (index * 4) + (i % 4)];
                Assert.Equal(expected.Quants[(block * 32) + i], quant);
            }

            var tail = start + (32 * size);
            Assert.Equal(expected.Factors[block], ((float*)tail)[index]);
            Assert.Equal(expected.Sums[block], ((int*)tail)[size + index]);
            Assert.Equal(expected.ScaledSums[block], ((float*)tail)[(2 * size) + index]);
        }
    }
}
