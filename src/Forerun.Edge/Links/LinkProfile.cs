using System.Collections.Immutable;
using System.Globalization;

namespace Forerun.Edge.Links;

/// <summary>How a network between edge and cloud behaves. A rate of 0 means without limit. Immutable.</summary>
public sealed record LinkProfile
{
    /// <summary>Largest loss rate that is emulated: above it a TCP connection hardly moves.</summary>
    public const double MaxLossRate = 0.5;

    /// <summary>Linux waits at least this long beyond the round trip before it sends a lost segment again.</summary>
    private static readonly TimeSpan MinRetransmissionDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>Plain loopback: nothing is added.</summary>
    public static LinkProfile Loopback { get; } = new() { Name = "loopback" };

    /// <summary>The named profiles; docs/links.md tells where the figures come from.</summary>
    public static ImmutableArray<LinkProfile> Named { get; } =
    [
        Loopback,
        Of("lan", roundTripMs: 0.5, jitterMs: 0.1, upMbit: 1000, downMbit: 1000, loss: 0),
        Of("wifi", roundTripMs: 5, jitterMs: 3, upMbit: 50, downMbit: 100, loss: 0.0005),
        Of("5g", roundTripMs: 25, jitterMs: 8, upMbit: 25, downMbit: 150, loss: 0.0005),
        Of("lte", roundTripMs: 70, jitterMs: 20, upMbit: 12, downMbit: 12, loss: 0.001),
        Of("wan", roundTripMs: 80, jitterMs: 2, upMbit: 100, downMbit: 100, loss: 0.0005),
        Of("satellite", roundTripMs: 600, jitterMs: 20, upMbit: 3, downMbit: 25, loss: 0.005),
    ];

    /// <summary>How reports call it.</summary>
    public required string Name { get; init; }

    /// <summary>Time of a request and its reply on the way, without computing; half of it each way.</summary>
    public TimeSpan RoundTripTime { get; init; }

    /// <summary>The round trip varies by up to this much, evenly, up or down; at most <see cref="RoundTripTime"/>.
    /// </summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Bytes per second from edge to cloud; 0 = without limit.</summary>
    public double BytesPerSecondUp { get; init; }

    /// <summary>Bytes per second from cloud to edge; 0 = without limit.</summary>
    public double BytesPerSecondDown { get; init; }

    /// <summary>Probability that a TCP segment is lost, 0 … <see cref="MaxLossRate"/>. The bytes still come:
    /// <see cref="RetransmissionDelay"/> later, and everything behind them waits.</summary>
    public double LossRate { get; init; }

    /// <summary>What the first loss of a segment costs; doubled for every further loss of the same segment. Default:
    /// the round trip and 200 ms or four times the jitter, whichever is longer.</summary>
    public TimeSpan? RetransmissionDelay { get; init; }

    /// <summary>When nothing passes; null = never.</summary>
    public OutagePattern? Outages { get; init; }

    /// <summary>The named profile.</summary>
    /// <exception cref="ArgumentException">There is none of this name.</exception>
    public static LinkProfile Parse(string name) =>
        Named.FirstOrDefault(profile => profile.Name == name) ?? throw new ArgumentException(
            $"There is no link \"{name}\": expected {string.Join(", ", Named.Select(profile => profile.Name))}.");

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">A figure is out of range, or the jitter is larger than the round trip.
    /// </exception>
    public void Validate()
    {
        Check(RoundTripTime >= TimeSpan.Zero, "the round trip must be 0 ms or more", Ms(RoundTripTime));
        Check(
            Jitter >= TimeSpan.Zero && Jitter <= RoundTripTime,
            $"the jitter must be between 0 ms and the round trip ({Ms(RoundTripTime)})",
            Ms(Jitter));
        Check(BytesPerSecondUp >= 0 && BytesPerSecondDown >= 0, "the rates must be 0 or more", Rates);
        Check(LossRate is >= 0 and <= MaxLossRate, "the loss must be between 0 % and 50 %", Percent(LossRate));
    }

    /// <summary>The same link on a clock that runs <paramref name="factor"/> times as long: 0.01 makes it a hundred times
    /// as fast. Loss stays.</summary>
    public LinkProfile Scale(double factor) => this with
    {
        RoundTripTime = RoundTripTime * factor,
        Jitter = Jitter * factor,
        BytesPerSecondUp = BytesPerSecondUp / factor,
        BytesPerSecondDown = BytesPerSecondDown / factor,
        RetransmissionDelay = FirstRetransmission * factor,
        Outages = Outages?.Scale(factor),
    };

    /// <summary>All figures that are not zero, such as "rtt 20 ms, jitter 5 ms, loss 0.5 %".</summary>
    public string Describe()
    {
        List<string> parts = [$"rtt {Ms(RoundTripTime)}"];
        Add(Jitter > TimeSpan.Zero, $"jitter {Ms(Jitter)}");
        Add(BytesPerSecondUp + BytesPerSecondDown > 0, $"rate {Rates}");
        Add(LossRate > 0, $"loss {Percent(LossRate)}");
        Add(Outages?.Start is not null, $"outage {Ms(Outages?.Duration)} from {Ms(Outages?.Start)} on");
        Add(Outages?.Period is not null, $"outages of {Ms(Outages?.Duration)} every {Ms(Outages?.Period)}");
        return string.Join(", ", parts);

        void Add(bool present, string part)
        {
            if (present)
            {
                parts.Add(part);
            }
        }
    }

    internal TimeSpan FirstRetransmission =>
        RetransmissionDelay ?? RoundTripTime + TimeSpan.FromTicks(Math.Max(MinRetransmissionDelay.Ticks, 4 * Jitter.Ticks));

    private string Rates => BytesPerSecondUp == BytesPerSecondDown
        ? Mbit(BytesPerSecondUp)
        : $"{Mbit(BytesPerSecondUp)} up, {Mbit(BytesPerSecondDown)} down";

    private static LinkProfile Of(
        string name, double roundTripMs, double jitterMs, double upMbit, double downMbit, double loss) => new()
        {
            Name = name,
            RoundTripTime = TimeSpan.FromMilliseconds(roundTripMs),
            Jitter = TimeSpan.FromMilliseconds(jitterMs),
            BytesPerSecondUp = upMbit * 1e6 / 8,
            BytesPerSecondDown = downMbit * 1e6 / 8,
            LossRate = loss,
        };

    private static void Check(bool right, string range, string got)
    {
        if (!right)
        {
            throw new ArgumentException($"The link cannot be emulated: {range}, got {got}.");
        }
    }

    private static string Ms(TimeSpan? time) => string.Create(CultureInfo.InvariantCulture, $"{time?.TotalMilliseconds:0.###} ms");

    private static string Mbit(double bytesPerSecond) => bytesPerSecond == 0
        ? "without limit"
        : string.Create(CultureInfo.InvariantCulture, $"{bytesPerSecond * 8 / 1e6:0.###} Mbit/s");

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.###} %");
}
