using System.Net;
using System.Net.Sockets;

namespace Forerun.Edge.Links;

/// <summary>Puts a delay between an edge and a server on one machine: it listens on loopback and forwards every byte,
/// in order, a fixed time later, in both directions. Thread-safe.</summary>
public sealed class LinkRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly EndPoint _server;
    private readonly TimeSpan _delay;
    private readonly TimeProvider _time;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private long _bytesUp;
    private long _bytesDown;

    /// <summary>Starts to listen.</summary>
    /// <param name="server">Where to forward to.</param>
    /// <param name="roundTripTime">Added to every request and its reply together; half of it each way.</param>
    /// <param name="timeProvider">Clock and timers; null = the system's.</param>
    public LinkRelay(Uri server, TimeSpan roundTripTime, TimeProvider? timeProvider = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(roundTripTime, TimeSpan.Zero);
        _server = new DnsEndPoint(server.Host, server.Port);
        _delay = roundTripTime / 2;
        _time = timeProvider ?? TimeProvider.System;
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
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
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
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed: no more connections.
        }
    }

    /// <summary>Forwards one connection until either side closes it.</summary>
    private async Task ForwardAsync(Socket edge)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (edge)
        using (var closed = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token))
        {
            edge.NoDelay = true;
            try
            {
                await server.ConnectAsync(_server, closed.Token).ConfigureAwait(false);
                var up = PumpAsync(edge, server, count => Interlocked.Add(ref _bytesUp, count), closed.Token);
                var down = PumpAsync(server, edge, count => Interlocked.Add(ref _bytesDown, count), closed.Token);
                await Task.WhenAny(up, down).ConfigureAwait(false);
                await closed.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(up, down).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // One side is gone; closing both tells the other.
            }
        }
    }

    private async Task PumpAsync(Socket source, Socket destination, Action<int> count, CancellationToken cancellationToken)
    {
        var line = new DelayLine(_delay, _time);
        var sending = line.DrainAsync(destination, cancellationToken);
        try
        {
            var buffer = new byte[64 * 1024];
            int received;
            while ((received = await source.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                count(received);
                await line.AddAsync(buffer.AsMemory(0, received), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            line.Complete();
            await sending.ConfigureAwait(false);
        }
    }
}
