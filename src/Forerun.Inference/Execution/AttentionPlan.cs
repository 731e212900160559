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
/// group; where there are few groups, the pages of one may be divided between workers: a cut.</summary>
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
    private bool _mayCut;

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
        var parts = segments[^1].FirstRow + segments[^1].RowCount <= PassBuffers.MaxOwnRows ? workers : PartsPerWorker * workers;
        _mayCut = _groups.Count < 2 * workers;
        var done = 0L;
        foreach (var group in _groups)
        {
            var first = _items.Count;
            var step = _mayCut ? 1 : group.EndPage;
            for (var page = 0; page < group.EndPage; page += step)
            {
                var middle = (2 * done) + Work(group, step);
                EndParts((int)(middle * parts / (2 * work)));
                Add(group with { FirstPage = page, EndPage = page + step });
                done += Work(group, step);
            }

            MarkCut(group, first);
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

    /// <summary>Adds to the part that is being filled: where it continues the part's last item, to that.</summary>
    private void Add(in AttentionItem next)
    {
        var isFirst = _items.Count == (_ends.Count == 0 ? 0 : _ends[^1]);
        if (!isFirst && Join(_items[^1], next) is { } joined)
        {
            _items[^1] = joined;
        }
        else
        {
            _items.Add(next);
        }
    }

    /// <summary>One item for two neighbours: further pages of the same group, or another group of the same head.</summary>
    private AttentionItem? Join(in AttentionItem last, in AttentionItem next)
    {
        if ((last.Segment, last.Head) != (next.Segment, next.Head))
        {
            return null;
        }

        if (_mayCut)
        {
            return last.FirstQuery == next.FirstQuery ? last with { EndPage = next.EndPage } : null;
        }

        var queries = last.QueryCount + next.QueryCount;
        return queries <= MaxItemQueries ? last with { QueryCount = queries, EndPage = next.EndPage } : null;
    }

    private void MarkCut(in AttentionItem group, int first)
    {
        if (_items.Count - first < 2)
        {
            return;
        }

        for (var i = first; i < _items.Count; i++)
        {
            _items[i] = _items[i] with { Cut = _cuts.Count };
        }

        _cuts.Add(group);
    }

    private void EndParts(int count)
    {
        while (_ends.Count < count)
        {
            _ends.Add(_items.Count);
        }
    }
}
