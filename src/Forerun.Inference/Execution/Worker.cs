using System.Runtime.InteropServices;

namespace Forerun.Inference.Execution;

/// <summary>A counter alone on its cache lines.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal struct PaddedCounter
{
    /// <summary>The count.</summary>
    [FieldOffset(64)]
    public int Value;
}

/// <summary>How one worker thread waits for work: it spins, then sleeps until woken.</summary>
internal sealed class Worker : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0);
    private int _asleep;

    /// <summary>Wakes the worker if it sleeps.</summary>
    public void Wake()
    {
        if (Interlocked.Exchange(ref _asleep, 0) == 1)
        {
            _signal.Release();
        }
    }

    /// <summary>Returns once <paramref name="epoch"/> differs from <paramref name="seen"/>.</summary>
    public void WaitForChange(ref PaddedCounter epoch, int seen, int spins)
    {
        while (true)
        {
            for (var i = 0; i < spins; i++)
            {
                if (Volatile.Read(ref epoch.Value) != seen)
                {
                    return;
                }

                Thread.SpinWait(2);
            }

            Interlocked.Exchange(ref _asleep, 1);
            if (Volatile.Read(ref epoch.Value) != seen)
            {
                // Work came in between. If the waker has seen the flag, its signal is on the way: take it.
                if (Interlocked.Exchange(ref _asleep, 0) == 0)
                {
                    _signal.Wait();
                }

                return;
            }

            _signal.Wait();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _signal.Dispose();
}
