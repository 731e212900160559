namespace Forerun.Edge.PreDrafting;

/// <summary>Whether the core has room for work that gives way to everything: where others keep it busy, another program or
/// this one's compiler, such work hardly gets on, and a verdict would wait for it. Learns from how late it starts, and from steps
/// that take far longer than usual. One caller at a time.</summary>
/// <param name="time">Measures.</param>
internal sealed class CoreRoom(TimeProvider time)
{
    private const double Forgetting = 1.05;

    private static readonly TimeSpan MostDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Together = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestMemory = TimeSpan.FromSeconds(16);

    private TimeSpan _usualStep = TimeSpan.MaxValue;
    private TimeSpan _memory = ShortestMemory;
    private long? _heldUpAt;
    private long? _crowdedAt;

    /// <summary>Lately there was no room: for a second, and twice as long each time that the crowd is back soon.</summary>
    public bool IsCrowded => _crowdedAt is { } at && time.GetElapsedTime(at) < _memory;

    /// <summary>Work was asked for then, and starts now.</summary>
    public void Start(long asked) => Learn(time.GetElapsedTime(asked) > MostDelay);

    /// <summary>A step began then, and is over now.</summary>
    public void EndStep(long begun)
    {
        var taken = time.GetElapsedTime(begun);
        Learn(taken - MostDelay > _usualStep && taken / 2 > _usualStep);
        _usualStep = taken < _usualStep ? taken : _usualStep * Forgetting;
    }

    /// <summary>Once may be a hiccup of the machine; twice in a second is a crowd.</summary>
    private void Learn(bool isHeldUp)
    {
        if (!isHeldUp)
        {
            return;
        }

        var now = time.GetTimestamp();
        if (_heldUpAt is { } before && time.GetElapsedTime(before, now) < Together)
        {
            var isBack = _crowdedAt is { } at && time.GetElapsedTime(at, now) < 2 * _memory;
            var longer = 2 * _memory < LongestMemory ? 2 * _memory : LongestMemory;
            (_crowdedAt, _memory) = (now, isBack ? longer : ShortestMemory);
        }

        _heldUpAt = now;
    }
}
