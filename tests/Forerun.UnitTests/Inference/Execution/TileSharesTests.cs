using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Execution;

public class TileSharesTests
{
    [Theory]
    [InlineData(1, 96, 1, 2)]
    [InlineData(2, 96, 1, 2)]
    [InlineData(3, 37, 8, 2)]
    [InlineData(4, 3, 128, 2)]
    [InlineData(5, 0, 16, 2)]
    [InlineData(2, 60, 5, 4)]
    [InlineData(3, 15, 1, 5)]
    [InlineData(4, 3, 16, 1)]
    public void Begin_AnyNumberOfWorkers_EveryTileIsTakenOncePerStep(int workers, int count, int rows, int unit)
    {
        using var pool = new WorkerPool(workers);
        var shares = new TileShares(workers);
        var taken = new int[5, count];
        pool.Run(worker =>
        {
            var barriers = 0;
            for (var step = 0; step < taken.GetLength(0); step++)
            {
                for (var share = shares.Begin(worker, count, rows, unit); share.Next();)
                {
                    Assert.True(share.Start % unit == 0 && share.Start < share.End);
                    Assert.True(share.End % unit == 0 || share.End == count);
                    for (var tile = share.Start; tile < share.End; tile++)
                    {
                        Interlocked.Increment(ref taken[step, tile]);
                    }
                }

                pool.Barrier(ref barriers);
            }
        });
        Assert.All(taken.Cast<int>(), times => Assert.Equal(1, times));
    }

    [Fact]
    public void Next_OneWorkerIsLate_TheOtherTakesItsTiles()
    {
        var shares = new TileShares(2);
        var tiles = 0;
        for (var share = shares.Begin(worker: 0, count: 96, rows: 4); share.Next();)
        {
            tiles += share.End - share.Start;
        }

        Assert.Equal(96, tiles);
        Assert.False(shares.Begin(worker: 1, count: 96, rows: 4).Next());
    }

    [Theory]
    [InlineData(36, 1, 2)]
    [InlineData(96, 1, 2)]
    [InlineData(60, 1, 4)]
    [InlineData(36, 5, 2)]
    [InlineData(37, 8, 2)]
    public void Next_TheFirstHalfOfTheParts_AreHalfOfTheTiles_GiveOrTakeHalfAUnit(int count, int rows, int unit)
    {
        var ends = new List<int>();
        for (var share = new TileShares(2).Begin(worker: 0, count, rows, unit); share.Next();)
        {
            ends.Add(share.End);
        }

        Assert.InRange((2 * ends[(ends.Count / 2) - 1]) - count, -unit, unit);
        Assert.Equal(count, ends[^1]);
    }

    [Theory]
    [InlineData(1, 96, 1, 2, 4)]
    [InlineData(2, 96, 128, 2, 5)]
    [InlineData(1, 37, 3, 2, 7)]
    [InlineData(2, 11, 1, 4, 4)]
    public void Next_MostTilesAreNamed_NoPartHasMore(int workers, int count, int rows, int unit, int maxTiles)
    {
        var (tiles, shares) = (0, new TileShares(workers));
        for (var share = shares.Begin(worker: 0, count, rows, unit, maxTiles); share.Next();)
        {
            Assert.InRange(share.End - share.Start, 1, maxTiles);
            tiles += share.End - share.Start;
        }

        Assert.Equal(count, tiles);
    }

    [Theory]
    [InlineData(1, 576, 1)]
    [InlineData(5, 576, 2)]
    [InlineData(16, 576, 2)]
    [InlineData(17, 64, 3)]
    [InlineData(2, 32, 4)]
    public void RowParts_CoverEveryBlockOnce_EquallyManyForEachWorker(int rows, int columns, int workers)
    {
        var parts = new RowParts(new RowGroups(rows, maxRows: 8), columns, workers);
        var blocks = new int[rows, columns / 32];
        for (var part = 0; part < parts.Count; part++)
        {
            var (startRow, endRow, start, end) = parts[part];
            for (var row = startRow; row < endRow; row++)
            {
                for (var column = start; column < end; column += 32)
                {
                    blocks[row, column / 32]++;
                }
            }
        }

        Assert.Equal(0, parts.Count % workers);
        Assert.All(blocks.Cast<int>(), times => Assert.Equal(1, times));
    }
}
