namespace Forerun.Edge.Links;

/// <summary>One direction of a link, without sockets or clocks: says when bytes that enter it come out. The answers are a
/// function of the profile, the seed and the questions so far. One caller at a time.</summary>
/// <remarks>Bytes queue for the rate, travel half a round trip with their share of the jitter, and wait for a lost
/// segment to be sent again. Nothing overtakes: a stall holds up everything behind it, as TCP does. Segments of one piece
/// that are lost are sent again together (selective acknowledgement). Nothing enters or leaves during an outage.</remarks>
public sealed class LinkModel
{
    /// <summary>Payload of a TCP segment over Ethernet, timestamps on.</summary>
    private const int SegmentBytes = 1448;

    private readonly LinkProfile _profile;
    private readonly double _bytesPerSecond;
    private readonly Random _random;
    private readonly Outages _entry;
    private readonly Outages _exit;
    private TimeSpan _free;
    private TimeSpan _last;

    /// <summary>An empty link.</summary>
    /// <param name="profile">Its figures.</param>
    /// <param name="up">Edge to cloud; false = cloud to edge.</param>
    /// <param name="seed">Seed of jitter and loss; both directions of a seed share their outages.</param>
    /// <exception cref="ArgumentException">The profile is out of range.</exception>
    public LinkModel(LinkProfile profile, bool up, int seed)
    {
        profile.Validate();
        _profile = profile;
        _bytesPerSecond = up ? profile.BytesPerSecondUp : profile.BytesPerSecondDown;
        _random = new Random(unchecked((seed * 2) + (up ? 1 : 0)));
        _entry = new Outages(profile.Outages, seed);
        _exit = new Outages(profile.Outages, seed);
    }

    /// <summary>When the last of these bytes comes out.</summary>
    /// <param name="arrival">When they enter, from the link's start; never before the bytes before them.</param>
    /// <param name="bytes">How many, at least 1.</param>
    public TimeSpan Deliver(TimeSpan arrival, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        var start = _entry.After(Max(arrival, _free));
        _free = start + (_bytesPerSecond > 0 ? TimeSpan.FromSeconds(bytes / _bytesPerSecond) : TimeSpan.Zero);
        var onTheWay = (_profile.RoundTripTime + (_profile.Jitter * ((2 * _random.NextDouble()) - 1))) / 2;
        _last = _exit.After(Max(_last, _free + onTheWay + Stall(bytes)));
        return _last;
    }

    /// <summary>How long the bytes wait for lost segments.</summary>
    private TimeSpan Stall(int bytes)
    {
        var longest = TimeSpan.Zero;
        for (var segments = (bytes + SegmentBytes - 1) / SegmentBytes; segments > 0 && _profile.LossRate > 0; segments--)
        {
            var stall = TimeSpan.Zero;
            for (var cost = _profile.FirstRetransmission; _random.NextDouble() < _profile.LossRate; cost *= 2)
            {
                stall += cost;
            }

            longest = Max(longest, stall);
        }

        return longest;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
