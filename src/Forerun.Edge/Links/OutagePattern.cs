namespace Forerun.Edge.Links;

/// <summary>When nothing passes a link: once, or again and again. The connection survives. Immutable.</summary>
public sealed record OutagePattern
{
    private OutagePattern(TimeSpan duration, TimeSpan? start, TimeSpan? period) =>
        (Duration, Start, Period) = (duration, start, period);

    /// <summary>How long an outage lasts; the mean where outages come again.</summary>
    public TimeSpan Duration { get; }

    /// <summary>Start of the only outage, from the link's start; null = outages come again.</summary>
    public TimeSpan? Start { get; }

    /// <summary>Mean time from the end of an outage to the start of the next; null = there is only one.</summary>
    public TimeSpan? Period { get; }

    /// <summary>One outage.</summary>
    /// <param name="start">From the link's start, 0 or more.</param>
    /// <param name="duration">Above 0.</param>
    public static OutagePattern Once(TimeSpan start, TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(start, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        return new OutagePattern(duration, start, period: null);
    }

    /// <summary>Outages at random: times between them and their durations are exponentially distributed.</summary>
    /// <param name="period">Mean time between two outages, above 0.</param>
    /// <param name="duration">Mean duration, above 0.</param>
    public static OutagePattern Random(TimeSpan period, TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        return new OutagePattern(duration, start: null, period);
    }

    /// <summary>The same pattern on a clock that runs <paramref name="factor"/> times as long.</summary>
    public OutagePattern Scale(double factor) => new(Duration * factor, Start * factor, Period * factor);
}
