namespace Forerun.Edge.PreDrafting;

/// <summary>Whether the core has room for work that gives way to everything: where another program keeps it busy, such work
/// hardly gets on, and a verdict would wait for it. Learns from how late it starts. One caller at a time.</summary>
/// <param name="time">Measures.</param>
internal sealed class CoreRoom(TimeProvider time)
{
    // One late start may be a hiccup of the machine.
    private const int MostLateStarts = 1;

    private static readonly TimeSpan MostDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private long? _crowdedAt;
    private int _lateStarts;

    /// <summary>Lately there was no room.</summary>
    public bool IsCrowded => _crowdedAt is { } at && time.GetElapsedTime(at) < Memory;

    /// <summary>Work was asked for then, and starts now.</summary>
    public void Start(long asked)
    {
        _lateStarts = time.GetElapsedTime(asked) > MostDelay ? _lateStarts + 1 : 0;
        if (_lateStarts > MostLateStarts)
        {
            _crowdedAt = time.GetTimestamp();
        }
    }
}
