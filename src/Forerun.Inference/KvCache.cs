using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>Keys and values of one sequence, in pages of 64 positions that are allocated as the sequence grows. One
/// user at a time; forks may be used by different threads.</summary>
public sealed class KvCache : IDisposable
{
    private readonly KvPagePool _pool;
    private readonly KvPage?[] _pages;
    private int _pageCount;
    private bool _disposed;

    internal KvCache(KvPagePool pool, int capacity)
    {
        _pool = pool;
        Capacity = capacity;
        _pages = new KvPage?[(capacity + KvPage.Positions - 1) / KvPage.Positions];
    }

    /// <summary>Positions that hold keys and values.</summary>
    public int Length { get; private set; }

    /// <summary>Most positions: the model's context length.</summary>
    public int Capacity { get; }

    /// <summary>Bytes of its pages, shared ones included.</summary>
    public long Bytes => _disposed ? 0 : _pageCount * _pool.Layout.PageBytes;

    internal KvPagePool Pool => _pool;

    /// <summary>Shortens the cache to an absolute length; what was behind it is forgotten. Pages stay allocated.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or longer than the cache is.</exception>
    public void RollbackTo(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (length < 0 || length > Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(length), length, $"Cannot roll the KV cache back to length {length}: expected 0 to {Length}.");
        }

        Length = length;
    }

    /// <summary>A second cache with the same content. Pages are shared; a shared page is copied when either writes to it.</summary>
    public KvCache Fork() => Fork(Length);

    /// <summary>A second cache with the first <paramref name="length"/> positions only; pages behind them are not shared.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or longer than the cache is.</exception>
    public KvCache Fork(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        var fork = new KvCache(_pool, Capacity) { Length = length };
        fork._pageCount = (length + KvPage.Positions - 1) / KvPage.Positions;
        for (var i = 0; i < fork._pageCount; i++)
        {
            fork._pages[i] = _pool.Share(_pages[i]!);
        }

        return fork;
    }

    /// <summary>Bytes of the pages that appending <paramref name="count"/> tokens would allocate, copies of shared pages
    /// included. Forks that other threads make or dispose meanwhile are not foreseen.</summary>
    public long BytesToReserve(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var pages = 0;
        for (var i = Length / KvPage.Positions; count > 0 && i <= (Length + count - 1) / KvPage.Positions; i++)
        {
            pages += i >= _pageCount || _pool.IsShared(_pages[i]!) ? 1 : 0;
        }

        return pages * _pool.Layout.PageBytes;
    }

    /// <summary>Gives the pages back.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        for (var i = 0; i < _pageCount; i++)
        {
            _pool.Return(_pages[i]!);
        }
    }

    internal KvPage Page(int position) => _pages[position / KvPage.Positions]!;

    /// <summary>Makes the pages of the next <paramref name="count"/> positions exist and belong to this cache alone.</summary>
    internal void Reserve(int count)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (count > Capacity - Length)
        {
            throw new InvalidOperationException(
                $"The KV cache holds {Length} of {Capacity} positions: there is no room for {count} more. Shorten the text.");
        }

        var last = (Length + count - 1) / KvPage.Positions;
        for (var i = Length / KvPage.Positions; i <= last; i++)
        {
            _pages[i] = i < _pageCount ? _pool.Own(_pages[i]!) : _pool.Rent();
        }

        _pageCount = Math.Max(_pageCount, last + 1);
    }

    /// <summary>Counts written positions.</summary>
    internal void Advance(int count) => Length += count;
}
