using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using Forerun.Edge.Links;

namespace Forerun.Cli;

/// <summary>Options of the emulated link: a named profile, and figures that replace its own.</summary>
/// <param name="several">Whether <c>--link</c> and <c>--rtt</c> take several values; every combination is a link.</param>
internal sealed class LinkOptions(bool several)
{
    public Option<LinkProfile[]> Link { get; } = Several("--link", LinkProfile.Parse, several,
        $"Emulated network: {string.Join(", ", LinkProfile.Named.Select(profile => profile.Name))}.");

    public Option<TimeSpan[]> RoundTrip { get; } = Several("--rtt", LinkUnits.Time, several,
        "Round-trip time of the link, as 20ms, 1s or 20 (milliseconds); replaces the profile's.");

    public Option<TimeSpan?> Jitter { get; } = One<TimeSpan?>("--jitter", text => LinkUnits.Time(text),
        "How far the round trip varies, as 5ms; at most the round trip.");

    public Option<(double Up, double Down)?> Rate { get; } = One<(double, double)?>("--rate", text => LinkUnits.Rate(text),
        "Rate of the link in bits per second, as 20Mbit or 5Mbit:50Mbit (up:down).");

    public Option<double?> Loss { get; } = One<double?>("--loss", text => LinkUnits.Percentage(text),
        "Share of lost TCP segments, as 0.5%; a loss is a stall, no byte is missing.");

    public Option<OutagePattern?> Outage { get; } = One<OutagePattern?>("--outage", LinkUnits.Outage,
        "When nothing passes, as 2s@10s (once, from 10 s on) or 2s/60s (2 s every 60 s, on average).");

    public Option<int> Seed { get; } = new("--link-seed")
    {
        Description = "Seed of the link's jitter, losses and outages.",
        DefaultValueFactory = _ => 1,
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        Option[] options = [Link, RoundTrip, Jitter, Rate, Loss, Outage, Seed];
        foreach (var option in options)
        {
            command.Add(option);
        }
    }

    /// <summary>The links that are asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="defaultRoundTrips">Round trips in milliseconds where neither a link nor a round trip is named.</param>
    /// <exception cref="ArgumentException">The figures do not go together.</exception>
    public ImmutableArray<LinkProfile> Profiles(ParseResult parsed, params ReadOnlySpan<double> defaultRoundTrips)
    {
        var named = parsed.GetValue(Link) is { Length: > 0 } profiles ? profiles : null;
        TimeSpan?[] roundTrips = parsed.GetValue(RoundTrip) is { Length: > 0 } times
            ? [.. times.Cast<TimeSpan?>()]
            : named is null ? [.. defaultRoundTrips.ToArray().Select(ms => (TimeSpan?)TimeSpan.FromMilliseconds(ms))] : [null];
        var asked =
            from profile in named ?? [LinkProfile.Loopback]
            from roundTrip in roundTrips
            select Custom(parsed, profile, roundTrip);
        ImmutableArray<LinkProfile> links = [.. asked.Distinct()];
        foreach (var link in links)
        {
            link.Validate();
        }

        return links;
    }

    /// <summary>The profile with the figures that were given; its name tells that it is no longer the named one.</summary>
    private LinkProfile Custom(ParseResult parsed, LinkProfile profile, TimeSpan? roundTrip)
    {
        var custom = profile with
        {
            RoundTripTime = roundTrip ?? profile.RoundTripTime,
            Jitter = parsed.GetValue(Jitter) ?? profile.Jitter,
            BytesPerSecondUp = parsed.GetValue(Rate)?.Up ?? profile.BytesPerSecondUp,
            BytesPerSecondDown = parsed.GetValue(Rate)?.Down ?? profile.BytesPerSecondDown,
            LossRate = parsed.GetValue(Loss) ?? profile.LossRate,
            Outages = parsed.GetValue(Outage) ?? profile.Outages,
        };
        return custom == profile ? profile : custom with { Name = custom.Describe() };
    }

    private static Option<T[]> Several<T>(string name, Func<string, T> parse, bool several, string description) => new(name)
    {
        Description = description + (several ? " May be several." : ""),
        Arity = several ? ArgumentArity.OneOrMore : ArgumentArity.ExactlyOne,
        AllowMultipleArgumentsPerToken = several,
        CustomParser = result => [.. result.Tokens.Select(token => Read(result, token, parse)).OfType<T>()],
    };

    private static Option<T> One<T>(string name, Func<string, T> parse, string description) => new(name)
    {
        Description = description,
        CustomParser = result => Read(result, result.Tokens[0], parse),
    };

    private static T? Read<T>(ArgumentResult result, Token token, Func<string, T> parse)
    {
        try
        {
            return parse(token.Value);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            result.AddError(exception.Message);
            return default;
        }
    }
}
