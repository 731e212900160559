using Forerun.Inference.Execution;

namespace Forerun.Inference.Weights;

/// <summary>One block of memory for all matrices of a model, in the order in which a pass reads them: prefetching past the
/// end of one matrix fetches the next, and large pages can hold it.</summary>
internal sealed unsafe class WeightArena : IDisposable
{
    private readonly NativeBuffer _memory;
    private long _used;

    /// <summary>Reserves room for <paramref name="bytes"/> bytes of slices.</summary>
    public WeightArena(long bytes) => _memory = new NativeBuffer(bytes);

    /// <summary>Bytes that a slice of <paramref name="bytes"/> takes.</summary>
    public static long SliceBytes(long bytes) => (bytes + 63) & ~63L;

    /// <summary>The next slice, on a cache line.</summary>
    public byte* Take(long bytes)
    {
        var start = _used;
        _used = checked(_used + SliceBytes(bytes));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_used, _memory.Bytes, nameof(bytes));
        return _memory.Pointer + start;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
