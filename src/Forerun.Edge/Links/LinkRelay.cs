using System.Net;
using System.Net.Sockets;

namespace Forerun.Edge.Links;

/// <summary>Puts an emulated network between an edge and a server on one machine: it listens on loopback and forwards
/// every byte, in order, in both directions, when a <see cref="LinkModel"/> says so. Every connection has the whole rate.
/// Thread-safe.</summary>
public sealed class LinkRelay : IAsyncDisposable
{
    private const int BufferBytes = 16 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly EndPoint _server;
    private readonly LinkProfile _profile;
    private readonly int _seed;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private long _bytesUp;
    private long _bytesDown;

    /// <summary>Starts to listen.</summary>
    /// <param name="server">Where to forward to.</param>
    /// <param name="profile">How the network behaves.</param>
    /// <param name="seed">Seed of jitter, losses and outages.</param>
    /// <param name="timeProvider">Clock and timers; null = the system's clock, with precise timers.</param>
    /// <exception cref="ArgumentException">The profile is out of range.</exception>
    public LinkRelay(Uri server, LinkProfile profile, int seed = 0, TimeProvider? timeProvider = null)
    {
        profile.Validate();
        _server = new DnsEndPoint(server.Host, server.Port);
        _profile = profile;
        _seed = seed;
        _time = timeProvider ?? PreciseTime.Instance;
        _start = _time.GetTimestamp();
        _listener.Start();
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    /// <summary>Where edges connect to.</summary>
    public Uri Address { get; }

    /// <summary>TCP payload bytes forwarded to the server.</summary>
    public long BytesUp => Interlocked.Read(ref _bytesUp);

    /// <summary>TCP payload bytes forwarded to edges.</summary>
    public long BytesDown => Interlocked.Read(ref _bytesDown);

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        _listener.Dispose();
        await Task.WhenAll(_connections).ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var edge = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                _connections.RemoveAll(connection => connection.IsCompleted);
                _connections.Add(ForwardAsync(edge));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Disposed: no more connections.
        }
    }

    /// <summary>Forwards one connection until both sides have closed it, or one is gone.</summary>
    private async Task ForwardAsync(Socket edge)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (edge)
        using (var gone = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            edge.NoDelay = true;
            try
            {
                await server.ConnectAsync(_server, gone.Token).ConfigureAwait(false);
                var up = PumpAsync(edge, server, Line(up: true), count => Interlocked.Add(ref _bytesUp, count), gone);
                var down = PumpAsync(server, edge, Line(up: false), count => Interlocked.Add(ref _bytesDown, count), gone);
                await Task.WhenAll(up, down).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // One side is gone; closing both tells the other.
            }
        }
    }

    private DelayLine Line(bool up) => new(new LinkModel(_profile, up, _seed), _start, _time);

    /// <summary>Forwards one direction to its end, and the end too.</summary>
    private static async Task PumpAsync(
        Socket source, Socket destination, DelayLine line, Action<int> count, CancellationTokenSource gone)
    {
        await Task.WhenAll(
            CloseOnFailureAsync(ReceiveAsync(source, line, count, gone.Token), gone),
            CloseOnFailureAsync(line.DrainAsync(destination, gone.Token), gone)).ConfigureAwait(false);
        destination.Shutdown(SocketShutdown.Send);
    }

    private static async Task CloseOnFailureAsync(Task work, CancellationTokenSource gone)
    {
        try
        {
            await work.ConfigureAwait(false);
        }
        catch
        {
            await gone.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task ReceiveAsync(
        Socket source, DelayLine line, Action<int> count, CancellationToken cancellationToken)
    {
        try
        {
            var buffer = new byte[BufferBytes];
            int received;
            while ((received = await source.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                await line.AddAsync(buffer.AsMemory(0, received), cancellationToken).ConfigureAwait(false);
                count(received);
            }
        }
        finally
        {
            line.Complete();
        }
    }
}
