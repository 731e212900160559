using CsCheck;
using Forerun.Inference;
using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Execution;

public class AttentionPlanTests
{
    private static readonly Gen<(int KvHeads, int QueriesPerHead, int Workers)> Shapes =
        Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[1, 5]);

    private static readonly Gen<(int Rows, int Position)[]> Batches =
        Gen.Select(Gen.Frequency((4, Gen.Int[1, 9]), (1, Gen.Int[10, 128])), Gen.Int[0, 700]).Array[1, 4];

    [Fact]
    public void Divide_AnyBatch_EveryQueryMeetsEachOfItsPagesOnceAndInOrder()
    {
        Gen.Select(Shapes, Batches).Sample((shape, batch) =>
        {
            var (kvHeads, queriesPerHead, workers) = shape;
            var segments = Segments(batch);
            var plan = new AttentionPlan(kvHeads, queriesPerHead, workers);
            plan.Divide(segments);

            var pages = new Dictionary<(int Segment, int Head, int Query), int>();
            foreach (var item in Items(plan))
            {
                Assert.True(item.QueryCount <= AttentionPlan.MaxItemQueries && item.FirstQuery % AttentionKernel.QueriesPerCall == 0);
                Assert.Equal(item.Cut < 0, item.FirstPage == 0 && item.EndPage == Pages(segments, item, item.QueryCount - 1, queriesPerHead));
                for (var i = 0; i < item.QueryCount; i++)
                {
                    var key = (item.Segment, item.Head, item.FirstQuery + i);
                    Assert.Equal(item.FirstPage, pages.GetValueOrDefault(key));
                    pages[key] = item.EndPage;
                }
            }

            Assert.Equal(batch.Sum(segment => segment.Rows) * queriesPerHead * kvHeads, pages.Count);
            Assert.All(pages, query =>
                Assert.True(query.Value * KvPage.Positions > segments[query.Key.Segment].Position + (query.Key.Query / queriesPerHead)));
        });
    }

    [Fact]
    public void Divide_FewRows_APartForEachWorkerAndFewCuts()
    {
        Gen.Select(Shapes, Gen.Int[1, 16], Gen.Int[0, 700]).Sample((shape, rows, position) =>
        {
            var plan = new AttentionPlan(shape.KvHeads, shape.QueriesPerHead, shape.Workers);
            plan.Divide(Segments([(rows, position)]));
            Assert.Equal(shape.Workers, plan.PartCount);
            Assert.InRange(plan.Cuts.Length, 0, shape.Workers - 1);
            Assert.Equal(plan.Cuts.Length, Items(plan).Where(item => item.Cut >= 0).Select(item => item.Cut).Distinct().Count());
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(16)]
    public void Divide_ThreeHeadsForTwoWorkers_EachHasAboutHalf(int rows)
    {
        var plan = new AttentionPlan(kvHeads: 3, queriesPerHead: 3, workers: 2);
        plan.Divide(Segments([(rows, 255)]));
        var work = Enumerable.Range(0, 2).Select(part => Work(plan.Part(part))).ToArray();
        Assert.InRange((double)work.Min() / work.Sum(), 0.46, 0.5);
    }

    private static BatchSegment[] Segments((int Rows, int Position)[] batch)
    {
        var first = 0;
        return Array.ConvertAll(batch, segment =>
        {
            first += segment.Rows;
            return new BatchSegment(null!, first - segment.Rows, segment.Rows, segment.Position);
        });
    }

    private static List<AttentionItem> Items(AttentionPlan plan)
    {
        var items = new List<AttentionItem>();
        for (var part = 0; part < plan.PartCount; part++)
        {
            items.AddRange(plan.Part(part));
        }

        return items;
    }

    private static int Pages(BatchSegment[] segments, AttentionItem item, int query, int queriesPerHead) =>
        ((segments[item.Segment].Position + ((item.FirstQuery + query) / queriesPerHead)) / KvPage.Positions) + 1;

    private static int Work(ReadOnlySpan<AttentionItem> items)
    {
        var work = 0;
        foreach (var item in items)
        {
            var (whole, rest) = Math.DivRem(item.QueryCount, AttentionKernel.QueriesPerCall);
            work += ((2 * whole) + (rest > 4 ? 2 : Math.Sign(rest))) * (item.EndPage - item.FirstPage);
        }

        return work;
    }
}
