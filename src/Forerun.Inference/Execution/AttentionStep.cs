using Forerun.Inference.Kernels;

namespace Forerun.Inference.Execution;

/// <summary>Attention of one layer for all rows of a batch, shared out among the workers by an <see cref="AttentionPlan"/>.
/// </summary>
/// <remarks>An item merges its pages as it goes. Of a group whose pages are divided the partial results are kept, and a
/// second step merges them in the same order.</remarks>
internal sealed unsafe class AttentionStep : IDisposable
{
    private const int PerCall = AttentionKernel.QueriesPerCall;

    private readonly KvLayout _layout;
    private readonly AttentionKernel _kernel;
    private readonly AttentionPlan _plan;
    private readonly int _workers;
    private readonly int _heads;
    private readonly int _group;
    private readonly int _stride;
    private readonly AttentionScratch[] _scratch;
    private readonly NativeBuffer _partials;
    private readonly int _mostPages;
    private int _next;

    /// <summary>Allocates scratch for every worker.</summary>
    public AttentionStep(LanguageModel model)
    {
        _layout = model.KvPool.Layout;
        _kernel = model.Kernels.Attention;
        _workers = model.Workers.Count;
        _heads = model.Config.NumAttentionHeads;
        _group = _heads / model.Config.NumKeyValueHeads;
        _stride = AttentionKernel.PartialStride(_layout.HeadDim);
        _plan = new AttentionPlan(_layout.KvHeads, _group, _workers);
        _scratch = new AttentionScratch[_workers];
        for (var i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new AttentionScratch(_layout, _stride, AttentionPlan.MaxItemQueries);
        }

        _mostPages = PageCount(model.Config.MaxPositionEmbeddings);
        _partials = new NativeBuffer(4L * (_workers - 1) * _mostPages * PerCall * _stride);
    }

    /// <summary>Divides a batch among the workers.</summary>
    public void Plan(ForwardBatch batch) => _plan.Divide(batch.Segments);

    /// <summary>Makes the parts available again: once per layer, before the barrier in front of <see cref="Run"/>.</summary>
    public void Restart() => Volatile.Write(ref _next, _workers);

    /// <summary>Works on parts until none is left; all workers call this. Each begins with its own.</summary>
    /// <param name="batch">The planned batch.</param>
    /// <param name="worker">The calling worker.</param>
    /// <param name="layer">Layer index.</param>
    /// <param name="queries">Rotated, scaled queries <c>[rows, heads * headDim]</c>.</param>
    /// <param name="output">Destination, same shape.</param>
    public void Run(ForwardBatch batch, int worker, int layer, float* queries, float* output)
    {
        for (var part = worker; part < _plan.PartCount; part = _plan.PartCount == _workers ? _workers : Take())
        {
            var items = _plan.Part(part);
            for (var i = 0; i < items.Length; i++)
            {
                var next = i + 1 < items.Length ? KeysOf(batch, items[i + 1], items[i + 1].FirstPage, layer) : null;
                Attend(batch, items[i], layer, queries, output, _scratch[worker], next);
            }
        }
    }

    /// <summary>Merges the partial results of divided groups, as far as they belong to some heads. A barrier lies between
    /// <see cref="Run"/> and this.</summary>
    /// <param name="batch">The planned batch.</param>
    /// <param name="output">Destination, <c>[rows, heads * headDim]</c>.</param>
    /// <param name="startHead">First head.</param>
    /// <param name="endHead">End of the heads.</param>
    public void Merge(ForwardBatch batch, float* output, int startHead, int endHead)
    {
        var cuts = _plan.Cuts;
        for (var cut = 0; cut < cuts.Length; cut++)
        {
            for (var i = 0; i < cuts[cut].QueryCount; i++)
            {
                var head = (cuts[cut].Head * _group) + ((cuts[cut].FirstQuery + i) % _group);
                if (head >= startHead && head < endHead)
                {
                    MergePages(batch, cuts[cut], cut, i, output);
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

        _partials.Dispose();
    }

    private int Take() => Interlocked.Increment(ref _next) - 1;

    private static int PageCount(int positions) => (positions + KvPage.Positions - 1) / KvPage.Positions;

    private void Attend(
        ForwardBatch batch, in AttentionItem item, int layer, float* queries, float* output, AttentionScratch scratch, byte* nextKeys)
    {
        var rows = stackalloc float*[item.QueryCount];
        var seen = stackalloc int[item.QueryCount];
        for (var i = 0; i < item.QueryCount; i++)
        {
            rows[i] = queries + Offset(batch, item, i);
            seen[i] = Seen(batch, item, i);
        }

        for (var page = item.FirstPage; page < item.EndPage; page++)
        {
            var next = page + 1 < item.EndPage ? KeysOf(batch, item, page + 1, layer) : nextKeys;
            var loaded = Load(KeysOf(batch, item, page, layer), item.QueryCount, scratch, next);
            for (var first = 0; first < item.QueryCount; first += PerCall)
            {
                AttendPage(item, page, first, loaded, rows + first, seen + first, scratch);
                loaded = new HeadPage(loaded.Keys, loaded.Values, loaded.Format);
            }
        }

        for (var i = 0; i < item.QueryCount && item.Cut < 0; i++)
        {
            _kernel.Finish(scratch.Running + (i * _stride), output + (rows[i] - queries), _layout.HeadDim);
        }
    }

    /// <summary>Up to eight queries over one page; the first page begins the running result.</summary>
    private void AttendPage(
        in AttentionItem item, int page, int first, in HeadPage loaded, float** rows, int* seen, AttentionScratch scratch)
    {
        var valid = stackalloc int[PerCall];
        var count = Math.Min(PerCall, item.QueryCount - first);
        for (var i = 0; i < count; i++)
        {
            valid[i] = Math.Clamp(seen[i] - (page * KvPage.Positions), 0, KvPage.Positions);
        }

        if (valid[count - 1] == 0)
        {
            return;
        }

        var running = scratch.Running + (first * _stride);
        var partials = item.Cut >= 0 ? Partials(item.Cut, page) : page == 0 ? running : scratch.Partials;
        _kernel.Page(loaded, _layout.HeadDim, rows, count, valid, scratch.Kernel, partials);
        for (var i = 0; i < count && partials == scratch.Partials; i++)
        {
            if (valid[i] > 0)
            {
                _kernel.Merge(running + (i * _stride), partials + (i * _stride), _layout.HeadDim);
            }
        }
    }

    private void MergePages(ForwardBatch batch, in AttentionItem group, int cut, int index, float* output)
    {
        var running = Partials(cut, 0) + (index * _stride);
        for (var page = 1; page < PageCount(Seen(batch, group, index)); page++)
        {
            _kernel.Merge(running, Partials(cut, page) + (index * _stride), _layout.HeadDim);
        }

        _kernel.Finish(running, output + Offset(batch, group, index), _layout.HeadDim);
    }

    private float* Partials(int cut, int page) => _partials.Floats + ((((long)cut * _mostPages) + page) * PerCall * _stride);

    /// <summary>Positions that a query sees.</summary>
    private int Seen(ForwardBatch batch, in AttentionItem item, int index) =>
        batch.Segments[item.Segment].Position + ((item.FirstQuery + index) / _group) + 1;

    /// <summary>Where a query, and its result, lies.</summary>
    private long Offset(ForwardBatch batch, in AttentionItem item, int index)
    {
        var (row, head) = Math.DivRem(item.FirstQuery + index, _group);
        row += batch.Segments[item.Segment].FirstRow;
        return (((long)row * _heads) + (item.Head * _group) + head) * _layout.HeadDim;
    }

    private static byte* KeysOf(ForwardBatch batch, in AttentionItem item, int page, int layer) =>
        batch.Segments[item.Segment].Cache.Page(page * KvPage.Positions).Keys(layer, item.Head);

    /// <summary>A head's keys and values in a page: in place, or widened once for many queries.</summary>
    private HeadPage Load(byte* keys, int queryCount, AttentionScratch scratch, byte* next)
    {
        if (_layout.Format == KvFormat.F32 || queryCount <= _kernel.MaxHalfQueries)
        {
            return new HeadPage(keys, keys + _layout.HalfHeadBytes, _layout.Format, next);
        }

        _kernel.Widen((ushort*)keys, scratch.Keys, 2 * _layout.HalfHeadElements);
        return new HeadPage((byte*)scratch.Keys, (byte*)scratch.Values, KvFormat.F32, next);
    }
}
