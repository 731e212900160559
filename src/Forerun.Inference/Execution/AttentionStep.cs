using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>Attention of one layer for all rows of a batch, shared out among the workers.</summary>
/// <remarks>Few rows: each page of each KV head is an item of its own, and a second step merges the pages in order.
/// Many rows: an item is a KV head and up to 16 rows (fewer where workers would be idle), and merges pages as it goes.
/// Both add up in the same order.</remarks>
internal sealed unsafe class AttentionStep : IDisposable
{
    private const int MaxRowsPerItem = 16;
    private const int ItemsPerWorker = 3;
    private const int MaxSplitQueries = 64;

    /// <summary>Up to so many queries read a page's halves as they are; for more they are widened once.</summary>
    private const int MaxHalfQueries = 8;
    private const int Quad = AttentionKernel.QueriesPerCall;

    private readonly LanguageModel _model;
    private readonly KvLayout _layout;
    private readonly AttentionKernel _kernel;
    private readonly int _heads;
    private readonly int _group;
    private readonly int _stride;
    private readonly List<Item> _items = [];
    private readonly AttentionScratch[] _scratch;
    private readonly NativeBuffer? _partials;
    private bool _split;
    private int _mostPages;
    private int _next;

    /// <summary>Allocates scratch for every worker.</summary>
    public AttentionStep(LanguageModel model)
    {
        _model = model;
        _layout = model.KvPool.Layout;
        _kernel = model.Kernels.Attention;
        _heads = model.Config.NumAttentionHeads;
        _group = _heads / model.Config.NumKeyValueHeads;
        _stride = AttentionKernel.PartialStride(_layout.HeadDim);
        _scratch = new AttentionScratch[model.Workers.Count];
        for (var i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new AttentionScratch(_layout, _stride, (MaxRowsPerItem * _group) + Quad);
        }

        _partials = model.Workers.Count == 1
            ? null
            : new NativeBuffer(4L * MaxSplitQueries * PageCount(model.Config.MaxPositionEmbeddings) * _stride);
    }

    /// <summary>Divides a batch into items.</summary>
    public void Plan(ForwardBatch batch)
    {
        _items.Clear();
        _mostPages = 0;
        _split = _partials is not null && batch.RowCount * _heads <= MaxSplitQueries;
        var rowsPerItem = batch.RowCount * _layout.KvHeads / (ItemsPerWorker * _model.Workers.Count);
        rowsPerItem = _model.Workers.Count == 1 ? MaxRowsPerItem : Math.Clamp(rowsPerItem, 1, MaxRowsPerItem);
        var segments = batch.Segments;
        for (var s = 0; s < segments.Length; s++)
        {
            var step = _split ? segments[s].RowCount : rowsPerItem;
            for (var row = 0; row < segments[s].RowCount; row += step)
            {
                AddItems(segments[s], s, row, Math.Min(step, segments[s].RowCount - row));
            }
        }
    }

    /// <summary>Makes the items available again: once per layer, before the barrier in front of <see cref="Run"/>.</summary>
    public void Restart() => Volatile.Write(ref _next, 0);

    /// <summary>Works on items until none is left; all workers call this. Few rows are divided in advance, many as the
    /// workers get on.</summary>
    /// <param name="batch">The planned batch.</param>
    /// <param name="worker">The calling worker.</param>
    /// <param name="layer">Layer index.</param>
    /// <param name="queries">Rotated, scaled queries <c>[rows, heads * headDim]</c>.</param>
    /// <param name="output">Destination, same shape.</param>
    public void Run(ForwardBatch batch, int worker, int layer, float* queries, float* output)
    {
        var scratch = _scratch[worker];
        if (_split || _model.Workers.Count == 1)
        {
            RunShare(batch, worker, layer, queries, output, scratch);
            return;
        }

        for (var index = Take(); index < _items.Count; index = Take())
        {
            Attend(batch.Segments[_items[index].Segment], _items[index], layer, queries, output, scratch, null);
        }
    }

    /// <summary>Merges what the workers found of some heads, all rows; nothing to do where items merge as they go. A barrier
    /// lies between <see cref="Run"/> and this.</summary>
    /// <param name="batch">The planned batch.</param>
    /// <param name="worker">The calling worker.</param>
    /// <param name="output">Destination, <c>[rows, heads * headDim]</c>.</param>
    /// <param name="startHead">First head.</param>
    /// <param name="endHead">End of the heads.</param>
    public void Merge(ForwardBatch batch, int worker, float* output, int startHead, int endHead)
    {
        foreach (ref readonly var segment in batch.Segments)
        {
            for (var i = 0; i < segment.RowCount && _split; i++)
            {
                var pages = PageCount(segment.Position + i + 1);
                for (var head = startHead; head < endHead; head++)
                {
                    MergePages(segment.FirstRow + i, head, pages, _scratch[worker].Running, output);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var scratch in _scratch)
        {
            scratch.Dispose();
        }

        _partials?.Dispose();
    }

    /// <summary>The worker's part of the items, equally many for each: it knows which comes next.</summary>
    private void RunShare(ForwardBatch batch, int worker, int layer, float* queries, float* output, AttentionScratch scratch)
    {
        var workers = _model.Workers.Count;
        var end = _items.Count * (worker + 1) / workers;
        for (var index = _items.Count * worker / workers; index < end; index++)
        {
            byte* next = null;
            if (index + 1 < end)
            {
                var item = _items[index + 1];
                next = KeysOf(batch.Segments[item.Segment], item.FirstPage, layer, item.Head);
            }

            Attend(batch.Segments[_items[index].Segment], _items[index], layer, queries, output, scratch, next);
        }
    }

    private int Take() => Interlocked.Increment(ref _next) - 1;

    private static int PageCount(int positions) => (positions + KvPage.Positions - 1) / KvPage.Positions;

    private void AddItems(in BatchSegment segment, int index, int firstRow, int rowCount)
    {
        var pages = PageCount(segment.Position + firstRow + rowCount);
        _mostPages = Math.Max(_mostPages, pages);
        for (var head = 0; head < _layout.KvHeads; head++)
        {
            if (!_split)
            {
                _items.Add(new Item(index, firstRow, rowCount, head, 0, pages));
                continue;
            }

            for (var page = 0; page < pages; page++)
            {
                _items.Add(new Item(index, firstRow, rowCount, head, page, page + 1));
            }
        }
    }

    private void Attend(
        in BatchSegment segment, in Item item, int layer, float* queries, float* output, AttentionScratch scratch, byte* nextKeys)
    {
        var queryCount = item.RowCount * _group;
        for (var page = item.FirstPage; page < item.EndPage; page++)
        {
            var next = page + 1 < item.EndPage ? KeysOf(segment, page + 1, layer, item.Head) : nextKeys;
            var loaded = Load(KeysOf(segment, page, layer, item.Head), queryCount, scratch, next);
            for (var first = 0; first < queryCount; first += Quad)
            {
                AttendPage(segment, item, page, first, loaded, queries, scratch);
                loaded = new HeadPage(loaded.Keys, loaded.Values, loaded.Format);
            }
        }

        for (var query = 0; query < queryCount && !_split; query++)
        {
            _kernel.Finish(scratch.Running + (query * _stride), At(output, segment, item, query), _layout.HeadDim);
        }
    }

    /// <summary>Four queries over one page: partial results are kept (split) or merged at once.</summary>
    private void AttendPage(
        in BatchSegment segment, in Item item, int page, int first, in HeadPage loaded, float* queries, AttentionScratch scratch)
    {
        var rows = stackalloc float*[Quad];
        var valid = stackalloc int[Quad];
        var last = (item.RowCount * _group) - 1;
        var any = false;
        for (var i = 0; i < Quad; i++)
        {
            var query = Math.Min(first + i, last);
            rows[i] = At(queries, segment, item, query);
            var seen = segment.Position + item.FirstRow + (query / _group) + 1 - (page * KvPage.Positions);
            any |= seen > 0;
            valid[i] = Math.Clamp(seen, 0, KvPage.Positions);
        }

        if (!any)
        {
            return;
        }

        _kernel.Page(loaded, _layout.HeadDim, rows, valid, scratch.Scores, scratch.Partials);
        for (var i = 0; i < Quad && first + i <= last; i++)
        {
            if (valid[i] > 0)
            {
                Keep(segment, item, page, first + i, scratch.Partials + (i * _stride), scratch);
            }
        }
    }

    private void Keep(in BatchSegment segment, in Item item, int page, int query, float* partial, AttentionScratch scratch)
    {
        if (_split || page == 0)
        {
            var target = _split
                ? Partial(segment.FirstRow + item.FirstRow + (query / _group), (item.Head * _group) + (query % _group), page)
                : scratch.Running + (query * _stride);
            new ReadOnlySpan<float>(partial, _stride).CopyTo(new Span<float>(target, _stride));
        }
        else
        {
            _kernel.Merge(scratch.Running + (query * _stride), partial, _layout.HeadDim);
        }
    }

    private void MergePages(int row, int head, int pages, float* running, float* output)
    {
        new ReadOnlySpan<float>(Partial(row, head, 0), _stride).CopyTo(new Span<float>(running, _stride));
        for (var page = 1; page < pages; page++)
        {
            _kernel.Merge(running, Partial(row, head, page), _layout.HeadDim);
        }

        _kernel.Finish(running, output + ((((long)row * _heads) + head) * _layout.HeadDim), _layout.HeadDim);
    }

    private float* Partial(int row, int head, int page) =>
        _partials!.Floats + (((((long)row * _heads) + head) * _mostPages) + page) * _stride;

    private float* At(float* rows, in BatchSegment segment, in Item item, int query) =>
        rows + ((((long)segment.FirstRow + item.FirstRow + (query / _group)) * _heads)
            + (item.Head * _group) + (query % _group)) * _layout.HeadDim;

    private static byte* KeysOf(in BatchSegment segment, int page, int layer, int head) =>
        segment.Cache.Page(page * KvPage.Positions).Keys(layer, head);

    /// <summary>A head's keys and values in a page: in place, or widened once for many queries.</summary>
    private HeadPage Load(byte* keys, int queryCount, AttentionScratch scratch, byte* next)
    {
        if (_layout.Format == KvFormat.F32 || queryCount <= MaxHalfQueries)
        {
            return new HeadPage(keys, keys + _layout.HalfHeadBytes, _layout.Format, next);
        }

        _kernel.Widen((ushort*)keys, scratch.Keys, 2 * _layout.HalfHeadElements);
        return new HeadPage((byte*)scratch.Keys, (byte*)scratch.Values, KvFormat.F32, next);
    }

    private readonly record struct Item(int Segment, int FirstRow, int RowCount, int Head, int FirstPage, int EndPage);
}
