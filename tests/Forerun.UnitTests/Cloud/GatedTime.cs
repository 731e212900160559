namespace Forerun.UnitTests.Cloud;

/// <summary>Counts one millisecond per look, and can hold the target's thread at a look of its own: the second look of
/// a pass is its start, outside all locks.</summary>
public sealed class GatedTime(int holdAt = int.MaxValue) : TimeProvider, IDisposable
{
    private readonly ManualResetEventSlim _gate = new();
    private readonly ManualResetEventSlim _reached = new();
    private long _now;
    private int _targetLooks;

    public override long TimestampFrequency => 1000;

    /// <summary>Looks of the target's thread.</summary>
    public int TargetLooks => Volatile.Read(ref _targetLooks);

    public override long GetTimestamp()
    {
        if (Thread.CurrentThread.Name == "Forerun target" && Interlocked.Increment(ref _targetLooks) == holdAt)
        {
            _reached.Set();
            _gate.Wait(Deadline.Token);
        }

        return Interlocked.Increment(ref _now);
    }

    /// <summary>Waits until the target's thread is held.</summary>
    public void WaitUntilHeld() => _reached.Wait(Deadline.Token);

    /// <summary>Lets it go on.</summary>
    public void Release() => _gate.Set();

    public void Dispose()
    {
        _gate.Dispose();
        _reached.Dispose();
    }
}
