namespace Forerun.Edge.PreDrafting;

/// <summary>Whether the core has room for work that gives way to everything: where others keep it busy, another program or
/// this one's compiler, such work hardly gets on, and a verdict would wait for it. Learns from how late it starts, and from steps
/// that take far longer than usual. One caller at a time.</summary>
/// <param name="time">Measures.</param>
internal sealed class CoreRoom(TimeProvider time)
{
    private const double UsualLoss = 0.05;
    private const double Forgetting = 1.05;

    private static readonly TimeSpan MostDelay = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan MostLost = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestMemory = TimeSpan.FromSeconds(16);

    private TimeSpan _usualStep = TimeSpan.MaxValue;
    private TimeSpan _memory = ShortestMemory;
    private TimeSpan _lost;
    private long _heldUpAt;
    private long? _crowdedAt;

    /// <summary>Lately there was no room: for a second, and twice as long each time that the crowd is back soon.</summary>
    public bool IsCrowded => _crowdedAt is { } at && time.GetElapsedTime(at) < _memory;

    /// <summary>Work was asked for then, and starts now.</summary>
    public void Start(long asked)
    {
        if (time.GetElapsedTime(asked) is var late && late > MostDelay)
        {
            Lose(late);
        }
    }

    /// <summary>A step began then, and is over now.</summary>
    public void EndStep(long begun)
    {
        var taken = time.GetElapsedTime(begun);
        if (taken - MostDelay > _usualStep && taken / 2 > _usualStep)
        {
            Lose(taken - _usualStep);
        }

        _usualStep = taken < _usualStep ? taken : _usualStep * Forgetting;
    }

    /// <summary>A machine's hiccups, say of 20 ms a second, are no crowd: what is lost beyond a twentieth of the time is.</summary>
    private void Lose(TimeSpan lost)
    {
        var now = time.GetTimestamp();
        var usual = UsualLoss * time.GetElapsedTime(_heldUpAt, now);
        (_lost, _heldUpAt) = (lost + (_lost > usual ? _lost - usual : TimeSpan.Zero), now);
        if (_lost > MostLost)
        {
            var isBack = _crowdedAt is { } at && time.GetElapsedTime(at, now) < 2 * _memory;
            var longer = 2 * _memory < LongestMemory ? 2 * _memory : LongestMemory;
            (_crowdedAt, _memory, _lost) = (now, isBack ? longer : ShortestMemory, TimeSpan.Zero);
        }
    }
}
