using Forerun.Inference;

namespace Forerun.Cloud;

/// <summary>How much memory KV caches may take. What counts are the pages in use of the models' pools, shared pages once.
/// </summary>
internal sealed class KvBudget(LanguageModel target, LanguageModel? draft, long bytes)
{
    private const long LeastDefault = 64L << 20;

    /// <summary>The budget in bytes.</summary>
    public long Bytes { get; } = bytes > 0 ? bytes : Default();

    /// <summary>Whether so many bytes more are within the budget.</summary>
    public bool Fits(long more) => target.KvBytesInUse + (draft?.KvBytesInUse ?? 0) + more <= Bytes;

    /// <summary>Whether a prompt of this length could ever be computed.</summary>
    public bool FitsPrompt(int length)
    {
        using var cache = target.CreateCache();
        return cache.BytesToReserve(length) <= Bytes;
    }

    private static long Default()
    {
        var memory = GC.GetGCMemoryInfo();
        return Math.Max((memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes) / 4, LeastDefault);
    }
}
