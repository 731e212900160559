using System.Net;
using System.Net.Sockets;
using Forerun.Edge.Links;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge.Links;

/// <summary>The relay with real sockets and a clock that the test moves.</summary>
public sealed class LinkRelayTests : IDisposable
{
    private readonly TcpListener _server = new(IPAddress.Loopback, 0);
    private readonly CountedTime _time = new();

    public LinkRelayTests() => _server.Start();

    private Uri ServerAddress => new($"http://127.0.0.1:{((IPEndPoint)_server.LocalEndpoint).Port}");

    public static TheoryData<string> Profiles => [.. LinkProfile.Named.Select(profile => profile.Name), "rough"];

    [Theory]
    [MemberData(nameof(Profiles))]
    public async Task Relay_AnyProfile_EveryByteInOrderBothWays(string name)
    {
        await using var relay = new LinkRelay(ServerAddress, Profile(name), seed: 7, _time);
        var (edge, server) = await ConnectAsync(relay);
        using (edge)
        using (server)
        {
            var (up, down) = (Noise(1, 40_000), Noise(2, 70_000));
            var sending = Task.WhenAll(SendAsync(edge, up), SendAsync(server, down));
            var atServer = ReceiveToEndAsync(server);
            var atEdge = ReceiveToEndAsync(edge);
            await MoveTimeUntilAsync(Task.WhenAll(sending, atServer, atEdge));
            Assert.Equal(up, await atServer);
            Assert.Equal(down, await atEdge);
            Assert.Equal(((long)up.Length, (long)down.Length), (relay.BytesUp, relay.BytesDown));
        }
    }

    [Fact]
    public async Task Relay_BytesComeWhenTheModelSaysSo()
    {
        var profile = new LinkProfile { Name = "slow", RoundTripTime = TimeSpan.FromMilliseconds(200) };
        await using var relay = new LinkRelay(ServerAddress, profile, seed: 0, _time);
        var (edge, server) = await ConnectAsync(relay);
        using (edge)
        using (server)
        {
            await edge.SendAsync(new byte[] { 42 }, Deadline.Token);

            // A wait that was reckoned before the clock moves and begins after it would be too long.
            await UntilAsync(() => relay.BytesUp == 1 && _time.Timers == 1);
            var receiving = server.ReceiveAsync(new byte[1], Deadline.Token).AsTask();
            _time.Advance(TimeSpan.FromMilliseconds(99));
            Assert.False(receiving.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, await receiving);
        }
    }

    [Fact]
    public async Task Relay_ServerGone_ClosesTheEdge()
    {
        await using var relay = new LinkRelay(ServerAddress, LinkProfile.Loopback, seed: 0, _time);
        _server.Stop();
        using var edge = await DialAsync(relay);
        var received = await edge.ReceiveAsync(new byte[1], Deadline.Token);
        Assert.Equal(0, received);
    }

    [Fact]
    public async Task Dispose_BytesOnTheWay_EndsAtOnce()
    {
        var profile = new LinkProfile { Name = "slow", RoundTripTime = TimeSpan.FromHours(2) };
        var relay = new LinkRelay(ServerAddress, profile, seed: 0, _time);
        var (edge, server) = await ConnectAsync(relay);
        using (edge)
        using (server)
        {
            await edge.SendAsync(new byte[100], Deadline.Token);
            await UntilAsync(() => relay.BytesUp == 100);
            await relay.DisposeAsync();
            Assert.Equal(0, await server.ReceiveAsync(new byte[1], Deadline.Token));
        }
    }

    public void Dispose() => _server.Dispose();

    private static LinkProfile Profile(string name) => name == "rough"
        ? LinkProfile.Parse("lte") with
        {
            LossRate = 0.2,
            Outages = OutagePattern.Random(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.2)),
        }
        : LinkProfile.Parse(name);

    private static byte[] Noise(int seed, int length)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Sends in uneven pieces, then says that nothing follows.</summary>
    private static async Task SendAsync(Socket socket, byte[] bytes)
    {
        for (var (sent, piece) = (0, 1); sent < bytes.Length; sent += piece, piece = 1 + (piece * 7 % 3001))
        {
            piece = Math.Min(piece, bytes.Length - sent);
            await socket.SendAsync(bytes.AsMemory(sent, piece), Deadline.Token);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        List<byte> all = [];
        var buffer = new byte[5000];
        int received;
        while ((received = await socket.ReceiveAsync(buffer, Deadline.Token)) > 0)
        {
            all.AddRange(buffer.AsSpan(0, received));
        }

        return [.. all];
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = Deadline.Token;
        while (!condition())
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<Socket> DialAsync(LinkRelay relay)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, relay.Address.Port, Deadline.Token);
        return socket;
    }

    private async Task<(Socket Edge, Socket Server)> ConnectAsync(LinkRelay relay)
    {
        var edge = await DialAsync(relay);
        return (edge, await _server.AcceptSocketAsync(Deadline.Token));
    }

    private async Task MoveTimeUntilAsync(Task done)
    {
        await UntilAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(0.5));
            return done.IsCompleted;
        });
        await done;
    }

    /// <summary>Tells how many timers were set.</summary>
    private sealed class CountedTime : FakeTimeProvider
    {
        private int _timers;

        public int Timers => Volatile.Read(ref _timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref _timers);
            return timer;
        }
    }
}
