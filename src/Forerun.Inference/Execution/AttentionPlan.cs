using System.Runtime.InteropServices;
using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>Some queries of a KV head over some pages, for one worker.</summary>
/// <param name="Segment">Segment of the batch.</param>
/// <param name="Head">KV head.</param>
/// <param name="FirstQuery">First query of the head: its rows' query heads, row after row.</param>
/// <param name="QueryCount">Queries.</param>
/// <param name="FirstPage">First page.</param>
/// <param name="EndPage">End of the pages.</param>
/// <param name="Cut">Which of <see cref="AttentionPlan.Cuts"/> it is a piece of; -1: it has all pages.</param>
internal readonly record struct AttentionItem(
    int Segment, int Head, int FirstQuery, int QueryCount, int FirstPage, int EndPage, int Cut = -1);

/// <summary>Divides a batch's attention into parts of equal work. Queries that one kernel call takes stay together, as a
/// group; of few rows, the group at the border of two parts is cut: its pages are divided between them.</summary>
/// <param name="kvHeads">KV heads.</param>
/// <param name="queriesPerHead">Query heads of a KV head.</param>
/// <param name="workers">Workers.</param>
internal sealed class AttentionPlan(int kvHeads, int queriesPerHead, int workers)
{
    /// <summary>Most queries of an item.</summary>
    public const int MaxItemQueries = 8 * AttentionKernel.QueriesPerCall;

    private const int PartsPerWorker = 3;

    private readonly List<AttentionItem> _groups = [];
    private readonly List<AttentionItem> _items = [];
    private readonly List<AttentionItem> _cuts = [];
    private readonly List<int> _ends = [];

    /// <summary>Parts: as many as workers, or more.</summary>
    public int PartCount => _ends.Count;

    /// <summary>Groups whose pages are divided, at most one fewer than workers.</summary>
    public ReadOnlySpan<AttentionItem> Cuts => CollectionsMarshal.AsSpan(_cuts);

    /// <summary>The items of a part.</summary>
    public ReadOnlySpan<AttentionItem> Part(int index) =>
        CollectionsMarshal.AsSpan(_items)[(index == 0 ? 0 : _ends[index - 1]).._ends[index]];

    /// <summary>Plans the segments of a batch. Few rows: a part for each worker. Many: more parts, to be taken as workers get
    /// on.</summary>
    public void Divide(ReadOnlySpan<BatchSegment> segments)
    {
        _items.Clear();
        _cuts.Clear();
        _ends.Clear();
        var work = CollectGroups(segments);
        var few = segments[^1].FirstRow + segments[^1].RowCount <= PassBuffers.MaxOwnRows;
        var parts = few ? workers : PartsPerWorker * workers;
        var done = 0L;
        foreach (var group in _groups)
        {
            var first = _items.Count;
            var step = few ? 1 : group.EndPage;
            for (var page = 0; page < group.EndPage; page += step)
            {
                var middle = (2 * done) + Work(group, step);
                EndParts((int)(middle * parts / (2 * work)));
                AddPages(group with { FirstPage = page, EndPage = page + step }, first);
                done += Work(group, step);
            }

            Complete(group, first);
        }

        EndParts(parts);
    }

    /// <summary>Four queries and fewer take about half as long as eight.</summary>
    private static long Work(in AttentionItem group, int pages) => (group.QueryCount > 4 ? 2L : 1L) * pages;

    private long CollectGroups(ReadOnlySpan<BatchSegment> segments)
    {
        _groups.Clear();
        var work = 0L;
        for (var s = 0; s < segments.Length; s++)
        {
            ref readonly var segment = ref segments[s];
            var queries = segment.RowCount * queriesPerHead;
            for (var head = 0; head < kvHeads; head++)
            {
                for (var first = 0; first < queries; first += AttentionKernel.QueriesPerCall)
                {
                    var count = Math.Min(AttentionKernel.QueriesPerCall, queries - first);
                    var lastPosition = segment.Position + ((first + count - 1) / queriesPerHead);
                    var group = new AttentionItem(s, head, first, count, 0, (lastPosition / KvPage.Positions) + 1);
                    _groups.Add(group);
                    work += Work(group, group.EndPage);
                }
            }
        }

        return work;
    }

    /// <summary>Adds pages of a group to the part that is being filled.</summary>
    private void AddPages(in AttentionItem pages, int firstOfGroup)
    {
        if (_items.Count > Math.Max(firstOfGroup, PartStart))
        {
            _items[^1] = _items[^1] with { EndPage = pages.EndPage };
        }
        else
        {
            _items.Add(pages);
        }
    }

    /// <summary>Marks the pieces of a group that was cut; a whole one is joined with the group of the same head before it, so that
    /// each page is read once.</summary>
    private void Complete(in AttentionItem group, int first)
    {
        if (_items.Count - first > 1)
        {
            for (var i = first; i < _items.Count; i++)
            {
                _items[i] = _items[i] with { Cut = _cuts.Count };
            }

            _cuts.Add(group);
        }
        else if (first > PartStart && _items[first - 1] is var before && before.Cut < 0
            && (before.Segment, before.Head) == (group.Segment, group.Head)
            && before.QueryCount + group.QueryCount <= MaxItemQueries)
        {
            _items[first - 1] = before with { QueryCount = before.QueryCount + group.QueryCount, EndPage = group.EndPage };
            _items.RemoveAt(first);
        }
    }

    private int PartStart => _ends.Count == 0 ? 0 : _ends[^1];

    private void EndParts(int count)
    {
        while (_ends.Count < count)
        {
            _ends.Add(_items.Count);
        }
    }
}
