using CsCheck;
using Forerun.Edge.Links;

namespace Forerun.UnitTests.Edge.Links;

public class LinkModelTests
{
    private static readonly Gen<(TimeSpan After, int Bytes)[]> Pieces = Gen.Select(
        Gen.Int[0, 50_000].Select(microseconds => TimeSpan.FromMicroseconds(microseconds)), Gen.Int[1, 9000]).Array[1, 60];

    private static readonly Gen<LinkProfile> Profiles =
        from roundTrip in Gen.Int[0, 300]
        from jitterShare in Gen.Double[0, 1]
        from rate in Gen.OneOf(Gen.Const(0.0), Gen.Double[1e4, 1e7])
        from loss in Gen.OneOf(Gen.Const(0.0), Gen.Double[0, 0.5])
        from outages in Gen.OneOf(Gen.Const(() => (OutagePattern?)null), Patterns)
        select new LinkProfile
        {
            Name = "any",
            RoundTripTime = Ms(roundTrip),
            Jitter = Ms(roundTrip) * jitterShare,
            BytesPerSecondUp = rate,
            BytesPerSecondDown = rate * 3,
            LossRate = loss,
            Outages = outages,
        };

    private static Gen<OutagePattern?> Patterns =>
        from period in Gen.Int[1, 1000]
        from duration in Gen.Int[1, 300]
        from once in Gen.Bool
        select once ? OutagePattern.Once(Ms(period), Ms(duration)) : OutagePattern.Random(Ms(period), Ms(duration));

    [Fact]
    public void Deliver_AnyProfile_KeepsOrderAndNothingIsTooEarly() =>
        Gen.Select(Profiles, Pieces, Gen.Int, Gen.Bool).Sample((profile, pieces, seed, up) =>
        {
            var earliest = (profile.RoundTripTime - profile.Jitter) / 2;
            var last = TimeSpan.Zero;
            foreach (var (arrival, bytes, delivery) in Run(profile, pieces, seed, up))
            {
                Assert.True(delivery >= last, "A piece overtook another.");
                Assert.True(delivery >= arrival + earliest - TimeSpan.FromTicks(2), "A piece came before it could.");
                last = delivery;
            }
        });

    [Fact]
    public void Deliver_SameSeedAndArrivals_SameDeliveries() =>
        Gen.Select(Profiles, Pieces, Gen.Int, Gen.Bool).Sample((profile, pieces, seed, up) =>
            Assert.Equal(Run(profile, pieces, seed, up), Run(profile, pieces, seed, up)));

    [Fact]
    public void Deliver_OtherSeed_OtherDeliveries()
    {
        var profile = LinkProfile.Parse("lte");
        var pieces = Enumerable.Repeat((Ms(100), 100), 20).ToArray();
        Assert.NotEqual(Run(profile, pieces, 1, up: true), Run(profile, pieces, 2, up: true));
        Assert.NotEqual(Run(profile, pieces, 1, up: true), Run(profile, pieces, 1, up: false));
    }

    [Fact]
    public void Deliver_AnyProfile_TheRateHolds() =>
        Gen.Select(Profiles.Where(profile => profile.BytesPerSecondUp > 0), Pieces, Gen.Int).Sample((profile, pieces, seed) =>
        {
            // All bytes so far need at least their time on the wire, counted from the first arrival.
            var sent = 0L;
            foreach (var (_, bytes, delivery) in Run(profile, pieces, seed, up: true))
            {
                sent += bytes;
                Assert.True((delivery - pieces[0].After).TotalSeconds >= (sent / profile.BytesPerSecondUp) - 1e-5);
            }
        });

    [Fact]
    public void Deliver_Delay_IsHalfTheRoundTripEachWay()
    {
        var profile = new LinkProfile { Name = "delay", RoundTripTime = Ms(20) };
        Assert.Equal(Ms(17), new LinkModel(profile, up: true, 0).Deliver(Ms(7), 5000));
        Assert.Equal(Ms(17), new LinkModel(profile, up: false, 0).Deliver(Ms(7), 5000));
    }

    [Fact]
    public void Deliver_Rate_BytesQueue()
    {
        var profile = new LinkProfile { Name = "slow", BytesPerSecondUp = 1000, BytesPerSecondDown = 2000 };
        var up = new LinkModel(profile, up: true, 0);
        Assert.Equal(Ms(100), up.Deliver(Ms(0), 100));
        Assert.Equal(Ms(200), up.Deliver(Ms(50), 100));
        Assert.Equal(Ms(600), up.Deliver(Ms(500), 100));
        Assert.Equal(Ms(50), new LinkModel(profile, up: false, 0).Deliver(Ms(0), 100));
    }

    [Fact]
    public void Deliver_Jitter_FillsItsRangeAndKeepsTheMean()
    {
        var profile = new LinkProfile { Name = "jitter", RoundTripTime = Ms(40), Jitter = Ms(10) };
        var model = new LinkModel(profile, up: true, 3);
        var delays = Enumerable.Range(1, 2000).Select(i => (model.Deliver(Ms(100 * i), 10) - Ms(100 * i)).TotalMilliseconds).ToArray();
        Assert.InRange(delays.Min(), 15, 15.1);
        Assert.InRange(delays.Max(), 24.9, 25);
        Assert.InRange(delays.Average(), 19.8, 20.2);
    }

    [Fact]
    public void Deliver_Loss_CostsRetransmissionsAndHoldsUpWhatFollows()
    {
        var profile = new LinkProfile { Name = "loss", RoundTripTime = Ms(20), LossRate = 0.1, RetransmissionDelay = Ms(1000) };
        var model = new LinkModel(profile, up: true, 1);
        var stalls = new List<double>();
        for (var i = 0; i < 3000; i++)
        {
            // Far apart, so that no piece waits for another.
            stalls.Add((model.Deliver(Ms(1e7 * i), 100) - Ms((1e7 * i) + 10)).TotalMilliseconds);
        }

        Assert.Equal([0.0, 1000.0, 3000.0], stalls.Distinct().Order().Take(3));
        Assert.InRange(stalls.Count(stall => stall > 0) / 3000.0, 0.08, 0.12);

        // Behind a stalled piece everything waits, also what was not lost.
        var held = new LinkModel(profile, up: true, 1);
        var first = Enumerable.Range(0, 3000).TakeWhile(i => held.Deliver(Ms(i), 100) == Ms(i + 10)).Count();
        Assert.True(held.Deliver(Ms(first + 1), 100) >= Ms(first + 1010));
    }

    [Fact]
    public void Deliver_Outage_NothingEntersOrLeaves()
    {
        var profile = new LinkProfile { Name = "outage", RoundTripTime = Ms(20), Outages = OutagePattern.Once(Ms(100), Ms(50)) };
        var model = new LinkModel(profile, up: true, 0);
        Assert.Equal(Ms(99), model.Deliver(Ms(89), 1));
        Assert.Equal(Ms(150), model.Deliver(Ms(95), 1));
        Assert.Equal(Ms(160), model.Deliver(Ms(120), 1));
        Assert.Equal(Ms(210), model.Deliver(Ms(200), 1));
    }

    [Fact]
    public void Deliver_RandomOutages_BothDirectionsShareThem()
    {
        var profile = new LinkProfile { Name = "outages", Outages = OutagePattern.Random(Ms(100), Ms(40)) };
        LinkModel[] directions = [new(profile, up: true, 5), new(profile, up: false, 5)];
        var stalled = 0;
        for (var at = 0; at < 20_000; at++)
        {
            var delivery = directions[0].Deliver(Ms(at), 1);
            Assert.Equal(delivery, directions[1].Deliver(Ms(at), 1));
            stalled += delivery > Ms(at) ? 1 : 0;
        }

        Assert.InRange(stalled / 20_000.0, 0.2, 0.4);
    }

    [Fact]
    public void Deliver_NoBytes_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinkModel(LinkProfile.Loopback, true, 0).Deliver(Ms(0), 0));

    private static List<(TimeSpan Arrival, int Bytes, TimeSpan Delivery)> Run(
        LinkProfile profile, (TimeSpan After, int Bytes)[] pieces, int seed, bool up)
    {
        var model = new LinkModel(profile, up, seed);
        var now = TimeSpan.Zero;
        return [.. pieces.Select(piece => (now += piece.After, piece.Bytes, model.Deliver(now, piece.Bytes)))];
    }

    private static TimeSpan Ms(double milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
