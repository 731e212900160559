using System.Collections.Concurrent;

namespace Forerun.UnitTests.Emulation;

/// <summary>Time that passes by waiting alone: a timer rings at once, and the clock has moved as far as it was set to. Looking at
/// the clock takes a microsecond, so that spinning ends. Thread-safe.</summary>
internal sealed class WaitingTime : TimeProvider
{
    private long _now;

    /// <summary>How long was waited, in milliseconds, wait after wait.</summary>
    public ConcurrentQueue<double> WaitsMs { get; } = [];

    public override long TimestampFrequency => 1_000_000;

    public TimeSpan Now => TimeSpan.FromMicroseconds(Interlocked.Read(ref _now));

    public override long GetTimestamp() => Interlocked.Increment(ref _now);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _now, (long)time.TotalMicroseconds);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(WaitingTime time, TimerCallback callback, object? state) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime >= TimeSpan.Zero)
            {
                time.WaitsMs.Enqueue(dueTime.TotalMilliseconds);
                time.Advance(dueTime);
                callback(state);
            }

            return true;
        }

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
