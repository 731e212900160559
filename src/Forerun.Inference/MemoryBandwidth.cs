using System.Runtime.Intrinsics;
using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>How fast this machine reads memory: the ceiling of a decode step.</summary>
public static unsafe class MemoryBandwidth
{
    private const int Repetitions = 15;

    /// <summary>Median speed of reading a buffer from end to end, again and again.</summary>
    /// <param name="bytes">Size of the buffer: as large as what is to be compared, for caches may hold part of it.</param>
    /// <param name="threads">Threads, each reading its own part.</param>
    /// <returns>Bytes per second.</returns>
    public static double Measure(long bytes, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        using var workers = new WorkerPool(threads);
        using var buffer = new NativeBuffer(bytes, clear: true);
        var sums = new ulong[threads * 16];
        var part = bytes / threads / 512 * 512;
        Action<int> read = worker => sums[worker * 16] += Read(buffer.Pointer + (worker * part), part);
        var times = new double[Repetitions];
        for (var i = -2; i < Repetitions; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            workers.Run(read);
            if (i >= 0)
            {
                times[i] = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            }
        }

        Array.Sort(times);
        return part * threads / times[Repetitions / 2];
    }

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
