namespace Forerun.Core.Emulation;

/// <summary>Stretches real work to emulated times: waits until a piece of work that is done here would be done there. The
/// wait holds the thread, as the emulated device would be busy. One caller at a time; the counts may be read by others.
/// </summary>
/// <param name="time">Measures and waits.</param>
public sealed class EmulatedClock(TimeProvider time) : IDisposable
{
    /// <summary>Timers may be late by about this much: the last part is spun.</summary>
    private static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(1.5);

    private readonly AutoResetEvent _rang = new(false);
    private ITimer? _timer;
    private long _started;
    private int _pieces;
    private int _overruns;

    /// <summary>Pieces of work so far.</summary>
    public int Pieces => Volatile.Read(ref _pieces);

    /// <summary>Of these, those that took longer here than there; they were not stretched.</summary>
    public int Overruns => Volatile.Read(ref _overruns);

    /// <summary>A piece of work begins.</summary>
    public void Begin() => _started = time.GetTimestamp();

    /// <summary>A part of the piece of work is done: waits until the emulated hardware would have done it.</summary>
    /// <param name="end">Its time there, since <see cref="Begin"/>.</param>
    /// <returns>How much longer the work took here; zero or less when there was time left to wait for.</returns>
    public TimeSpan WaitUntil(TimeSpan end)
    {
        var late = time.GetElapsedTime(_started) - end;
        if (-late > Spin)
        {
            Sleep(-late - Spin);
        }

        while (time.GetElapsedTime(_started) < end)
        {
            Thread.SpinWait(20);
        }

        return late;
    }

    /// <summary>The piece of work is done: waits for its end, and counts it.</summary>
    /// <inheritdoc cref="WaitUntil"/>
    public TimeSpan End(TimeSpan end)
    {
        var late = WaitUntil(end);
        Interlocked.Increment(ref _pieces);
        if (late > TimeSpan.Zero)
        {
            Interlocked.Increment(ref _overruns);
        }

        return late;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _rang.Dispose();
    }

    private void Sleep(TimeSpan duration)
    {
        _timer ??= time.CreateTimer(
            static rang => ((AutoResetEvent)rang!).Set(), _rang, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(duration, Timeout.InfiniteTimeSpan);
        _rang.WaitOne();
    }
}
