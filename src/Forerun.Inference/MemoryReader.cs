using System.Runtime.Intrinsics;
using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>Reads a buffer from end to end: how fast this machine does that is the ceiling of a decode step. One caller
/// at a time.</summary>
public sealed unsafe class MemoryReader : IDisposable
{
    private readonly WorkerPool _workers;
    private readonly NativeBuffer _buffer;
    private readonly ulong[] _sums;
    private readonly long _partBytes;
    private readonly Action<int> _read;

    /// <summary>Allocates the buffer.</summary>
    /// <param name="bytes">Size of the buffer: as large as what is to be compared, for caches may hold part of it.</param>
    /// <param name="model">Its threads read, each its own part, on the cores that they compute on.</param>
    public MemoryReader(long bytes, LanguageModel model)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        _workers = model.Workers;
        var threads = _workers.Count;
        _buffer = new NativeBuffer(bytes, clear: true);
        _sums = new ulong[threads * 16];
        _partBytes = bytes / threads / 512 * 512;
        _read = worker => _sums[worker * 16] += Read(_buffer.Pointer + (worker * _partBytes), _partBytes);
    }

    /// <summary>Reads the buffer once.</summary>
    /// <returns>Bytes per second.</returns>
    public double Read()
    {
        var start = TimeProvider.System.GetTimestamp();
        _workers.Run(_read);
        return _partBytes * (_sums.Length / 16) / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer.Dispose();

    private static ulong Read(byte* start, long bytes)
    {
        Vector512<ulong> a = default, b = default, c = default, d = default;
        for (var p = start; p < start + bytes; p += 512)
        {
            a ^= Vector512.Load((ulong*)p) ^ Vector512.Load((ulong*)(p + 256));
            b ^= Vector512.Load((ulong*)(p + 64)) ^ Vector512.Load((ulong*)(p + 320));
            c ^= Vector512.Load((ulong*)(p + 128)) ^ Vector512.Load((ulong*)(p + 384));
            d ^= Vector512.Load((ulong*)(p + 192)) ^ Vector512.Load((ulong*)(p + 448));
        }

        return Vector512.Sum(a ^ b ^ c ^ d);
    }
}
