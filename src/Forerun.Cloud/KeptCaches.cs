using Forerun.Inference;

namespace Forerun.Cloud;

/// <summary>Caches of generations that are over, least recently used first: a prompt that begins with their tokens takes
/// them over. One caller at a time.</summary>
internal sealed class KeptCaches : IDisposable
{
    private readonly List<KeptCache> _caches = [];

    /// <summary>Number of caches.</summary>
    public int Count => _caches.Count;

    /// <summary>Keeps a cache whose tokens no kept cache begins with; takes the place of those that begin it.</summary>
    /// <param name="tokens">Tokens whose keys and values the cache holds.</param>
    /// <param name="cache">The cache; the caller keeps owning it.</param>
    public void Keep(ReadOnlySpan<int> tokens, KvCache cache)
    {
        for (var i = _caches.Count - 1; i >= 0; i--)
        {
            if (_caches[i].Tokens.AsSpan().StartsWith(tokens))
            {
                Touch(i);
                return;
            }

            if (tokens.StartsWith(_caches[i].Tokens))
            {
                DropAt(i);
            }
        }

        // A fork has the pages in use only, without those of a draft that was rolled back.
        _caches.Add(new KeptCache(tokens.ToArray(), cache.Fork()));
    }

    /// <summary>The cache with the longest common prefix, and that prefix's length; null and 0 where none has any.
    /// Being found counts as being used.</summary>
    public (KvCache? Cache, int Length) Find(ReadOnlySpan<int> tokens)
    {
        var (best, length) = (-1, 0);
        for (var i = 0; i < _caches.Count; i++)
        {
            var common = tokens.CommonPrefixLength(_caches[i].Tokens);
            (best, length) = common > length ? (i, common) : (best, length);
        }

        return best < 0 ? (null, 0) : (Touch(best), length);
    }

    /// <summary>Drops the least recently used cache; false when there is none.</summary>
    public bool DropOldest()
    {
        if (_caches.Count == 0)
        {
            return false;
        }

        DropAt(0);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        while (DropOldest())
        {
        }
    }

    private KvCache Touch(int index)
    {
        var cache = _caches[index];
        _caches.RemoveAt(index);
        _caches.Add(cache);
        return cache.Cache;
    }

    private void DropAt(int index)
    {
        _caches[index].Cache.Dispose();
        _caches.RemoveAt(index);
    }

    private sealed record KeptCache(int[] Tokens, KvCache Cache);
}
