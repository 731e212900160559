using System.Globalization;
using Forerun.Edge.Links;

namespace Forerun.Cli;

/// <summary>Reads the figures of a link as users write them: <c>20ms</c>, <c>20Mbit</c>, <c>0.5%</c>, <c>2s/60s</c>.
/// </summary>
internal static class LinkUnits
{
    private static readonly (string Unit, double Seconds)[] TimeUnits = [("ms", 1e-3), ("us", 1e-6), ("s", 1), ("", 1e-3)];

    private static readonly (string Unit, double BytesPerSecond)[] RateUnits =
        [("Gbit", 1e9 / 8), ("Mbit", 1e6 / 8), ("kbit", 1e3 / 8), ("bit", 1.0 / 8)];

    /// <summary>A time; a plain number is milliseconds.</summary>
    /// <exception cref="FormatException">It is not a time of 0 or more.</exception>
    public static TimeSpan Time(string text) => TryNumber(text, TimeUnits, out var seconds) && seconds <= 1e6
        ? TimeSpan.FromSeconds(seconds)
        : throw new FormatException($"The time \"{text}\" is not understood: expected for example 20ms, 1.5s or 20 (milliseconds).");

    /// <summary>Bytes per second up and down, of bits per second: one figure for both, or two.</summary>
    /// <exception cref="FormatException">It is not a rate above 0.</exception>
    public static (double Up, double Down) Rate(string text)
    {
        var parts = text.Split(':');
        var rates = new double[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i].EndsWith("/s", StringComparison.Ordinal) ? parts[i][..^2] : parts[i];
            if (parts.Length > 2 || !TryNumber(part, RateUnits, out rates[i]) || rates[i] <= 0)
            {
                throw new FormatException(
                    $"The rate \"{text}\" is not understood: expected for example 20Mbit, 500kbit or 5Mbit:50Mbit (up:down).");
            }
        }

        return (rates[0], rates[^1]);
    }

    /// <summary>A share, of a percentage.</summary>
    /// <exception cref="FormatException">It is not a percentage.</exception>
    public static double Percentage(string text) => TryNumber(text, [("%", 0.01)], out var share)
        ? share
        : throw new FormatException($"The loss \"{text}\" is not understood: expected a percentage such as 0.5%.");

    /// <summary><c>2s@10s</c>: one outage of 2 s from 10 s on. <c>2s/60s</c>: outages of 2 s every 60 s, on average.
    /// </summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static OutagePattern Outage(string text)
    {
        var parts = text.Split('@', '/');
        if (parts.Length == 2
            && TryNumber(parts[0], TimeUnits, out var duration) && duration is > 0 and <= 1e6
            && TryNumber(parts[1], TimeUnits, out var at) && at <= 1e6 && (at > 0 || text.Contains('@')))
        {
            return text.Contains('@')
                ? OutagePattern.Once(TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(duration))
                : OutagePattern.Random(TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(duration));
        }

        throw new FormatException(
            $"The outage \"{text}\" is not understood: expected for example 2s@10s (2 s long, from 10 s on) or 2s/60s (2 s long, every 60 s).");
    }

    private static bool TryNumber(string text, (string Unit, double Factor)[] units, out double value)
    {
        value = 0;
        foreach (var (unit, factor) in units)
        {
            if (text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                var parsed = double.TryParse(
                    text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value);
                value *= factor;
                return parsed && double.IsFinite(value);
            }
        }

        return false;
    }
}
