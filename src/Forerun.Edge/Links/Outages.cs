namespace Forerun.Edge.Links;

/// <summary>The outages of a link, one after another: the same ones for the same pattern and seed. Questions come in
/// order of time. One caller at a time.</summary>
internal sealed class Outages
{
    private readonly OutagePattern? _pattern;
    private readonly Random _random;
    private TimeSpan _start = TimeSpan.MaxValue;
    private TimeSpan _end = TimeSpan.MaxValue;

    public Outages(OutagePattern? pattern, int seed)
    {
        _pattern = pattern;
        _random = new Random(seed);
        if (pattern?.Start is { } start)
        {
            (_start, _end) = (start, start + pattern.Duration);
        }
        else if (pattern is not null)
        {
            Advance(TimeSpan.Zero);
        }
    }

    /// <summary>The first moment at <paramref name="time"/> or after it in which something passes.</summary>
    public TimeSpan After(TimeSpan time)
    {
        while (_end <= time && _pattern?.Period is not null)
        {
            Advance(_end);
        }

        return time >= _start && time < _end ? _end : time;
    }

    private void Advance(TimeSpan from)
    {
        _start = from + Exponential(_pattern!.Period!.Value);
        _end = _start + Exponential(_pattern.Duration);
    }

    /// <summary>Never zero, so that time goes on.</summary>
    private TimeSpan Exponential(TimeSpan mean) =>
        (-Math.Log(1 - _random.NextDouble()) * mean) + TimeSpan.FromTicks(1);
}
