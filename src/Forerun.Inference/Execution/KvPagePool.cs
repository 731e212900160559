namespace Forerun.Inference.Execution;

/// <summary>Pages of a model's caches: reference counts, and free pages kept for reuse. Thread-safe.</summary>
internal sealed class KvPagePool(KvLayout layout) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stack<KvPage> _free = new();
    private bool _disposed;

    /// <summary>Sizes of the pages.</summary>
    public KvLayout Layout { get; } = layout;

    /// <summary>Bytes of all pages in use.</summary>
    public long BytesInUse { get; private set; }

    /// <summary>An unshared page of undefined content.</summary>
    public KvPage Rent()
    {
        lock (_lock)
        {
            BytesInUse += Layout.PageBytes;
            if (_free.TryPop(out var page))
            {
                page.References = 1;
                return page;
            }
        }

        return new KvPage(Layout);
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
            if (--page.References > 0)
            {
                return;
            }

            BytesInUse -= Layout.PageBytes;
            if (!_disposed)
            {
                _free.Push(page);
                return;
            }
        }

        page.Dispose();
    }

    /// <summary>Frees the free pages; pages still in use are freed when their caches are disposed of.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            while (_free.TryPop(out var page))
            {
                page.Dispose();
            }
        }
    }
}
