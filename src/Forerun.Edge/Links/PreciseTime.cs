using System.Runtime.InteropServices;

namespace Forerun.Edge.Links;

/// <summary>The system's clock with timers that ring within about a tenth of a millisecond; the system's own may be late by more
/// than one, and spinning until then would take the core from those who compute on it. Thread-safe.</summary>
internal sealed partial class PreciseTime : TimeProvider
{
    private const long LongestNap = 200_000;

    private readonly object _gate = new();
    private readonly List<PreciseTimer> _waiting = [];

    private PreciseTime() => new Thread(Loop) { IsBackground = true, Name = "forerun clock" }.Start();

    /// <summary>One thread rings all timers of the process.</summary>
    public static PreciseTime Instance { get; } = new();

    /// <inheritdoc/>
    /// <remarks>Precise are timers that ring once; the callback must be short.</remarks>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime <= TimeSpan.Zero || period != Timeout.InfiniteTimeSpan)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }

        var timer = new PreciseTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec duration, nint left);

    private void Loop()
    {
        while (true)
        {
            var due = WaitForTimers();
            if (GetElapsedTime(GetTimestamp(), due) is { Ticks: > 0 } left)
            {
                Nap(left);
            }
            else
            {
                RingDue();
            }
        }
    }

    /// <summary>Sleeps a little: a timer that is added meanwhile may be due sooner.</summary>
    private static void Nap(TimeSpan left)
    {
        if (OperatingSystem.IsWindows())
        {
            Thread.Yield();
        }
        else
        {
            _ = NanoSleep(new TimeSpec(0, (nint)Math.Min((long)left.TotalNanoseconds, LongestNap)), 0);
        }
    }

    /// <summary>When the next timer is due.</summary>
    private long WaitForTimers()
    {
        lock (_gate)
        {
            while (_waiting.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            return _waiting.Min(timer => timer.Due);
        }
    }

    private void RingDue()
    {
        PreciseTimer[] due;
        lock (_gate)
        {
            var now = GetTimestamp();
            due = [.. _waiting.Where(timer => timer.Due <= now).OrderBy(timer => timer.Due)];
            _waiting.RemoveAll(timer => timer.Due <= now);
        }

        foreach (var timer in due)
        {
            timer.Ring();
        }
    }

    private void Set(PreciseTimer timer, TimeSpan dueTime)
    {
        lock (_gate)
        {
            _waiting.Remove(timer);
            if (dueTime >= TimeSpan.Zero)
            {
                timer.Due = GetTimestamp() + (long)(dueTime.TotalSeconds * TimestampFrequency);
                _waiting.Add(timer);
                Monitor.Pulse(_gate);
            }
        }
    }

    private readonly record struct TimeSpec(nint Seconds, nint Nanoseconds);

    private sealed class PreciseTimer(PreciseTime time, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan)
            {
                throw new NotSupportedException("A precise timer rings once: expected an infinite period.");
            }

            time.Set(this, dueTime);
            return true;
        }

        public void Dispose() => time.Set(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
