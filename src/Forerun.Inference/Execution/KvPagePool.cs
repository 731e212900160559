namespace Forerun.Inference.Execution;

/// <summary>Pages of a model's caches: reference counts, and free pages kept for reuse. Pages are cut from slabs, which
/// live as long as the pool. Thread-safe.</summary>
internal sealed unsafe class KvPagePool(KvLayout layout) : IDisposable
{
    /// <summary>Large enough for huge pages; memory that no page uses is reserved, not resident.</summary>
    private const long SlabBytes = 16 << 20;

    private readonly Lock _lock = new();
    private readonly Stack<KvPage> _free = new();
    private readonly List<NativeBuffer> _slabs = [];

    /// <summary>Sizes of the pages.</summary>
    public KvLayout Layout { get; } = layout;

    /// <summary>Bytes of all pages in use.</summary>
    public long BytesInUse { get; private set; }

    /// <summary>An unshared page of undefined content.</summary>
    public KvPage Rent()
    {
        lock (_lock)
        {
            if (_free.Count == 0)
            {
                AddSlab();
            }

            BytesInUse += Layout.PageBytes;
            var page = _free.Pop();
            page.References = 1;
            return page;
        }
    }

    /// <summary>Adds a user.</summary>
    public KvPage Share(KvPage page)
    {
        lock (_lock)
        {
            page.References++;
            return page;
        }
    }

    /// <summary>Whether more than one cache uses the page: writing to it needs a copy.</summary>
    public bool IsShared(KvPage page)
    {
        lock (_lock)
        {
            return page.References > 1;
        }
    }

    /// <summary>The page itself if nobody shares it, else a copy.</summary>
    public KvPage Own(KvPage page)
    {
        lock (_lock)
        {
            if (page.References == 1)
            {
                return page;
            }
        }

        var copy = Rent();
        copy.CopyFrom(page);
        Return(page);
        return copy;
    }

    /// <summary>Removes a user; the last one's page becomes free.</summary>
    public void Return(KvPage page)
    {
        lock (_lock)
        {
            if (--page.References == 0)
            {
                BytesInUse -= Layout.PageBytes;
                _free.Push(page);
            }
        }
    }

    /// <summary>Frees all memory; no page may be used any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _free.Clear();
            foreach (var slab in _slabs)
            {
                slab.Dispose();
            }
        }
    }

    private void AddSlab()
    {
        var count = Math.Max(1, (SlabBytes + Layout.PageBytes - 1) / Layout.PageBytes);
        var slab = new NativeBuffer(count * Layout.PageBytes);
        _slabs.Add(slab);
        for (var i = count - 1; i >= 0; i--)
        {
            _free.Push(new KvPage(Layout, slab.Pointer + (i * Layout.PageBytes)));
        }
    }
}
