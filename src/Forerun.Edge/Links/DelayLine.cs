using System.Net.Sockets;
using System.Threading.Channels;

namespace Forerun.Edge.Links;

/// <summary>Bytes on their way: each piece leaves a fixed time after it came, in order.</summary>
internal sealed class DelayLine(TimeSpan delay, TimeProvider time)
{
    private const int MaxPieces = 1024;

    /// <summary>Timers fire up to about this late; the rest is waited for by yielding the processor.</summary>
    private static readonly TimeSpan TimerSlack = TimeSpan.FromMilliseconds(1.5);

    private readonly Channel<Piece> _pieces = Channel.CreateBounded<Piece>(
        new BoundedChannelOptions(MaxPieces) { SingleReader = true, SingleWriter = true });

    /// <summary>Takes a copy of the bytes.</summary>
    public ValueTask AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _pieces.Writer.WriteAsync(new Piece(time.GetTimestamp(), bytes.ToArray()), cancellationToken);

    /// <summary>No more bytes will come.</summary>
    public void Complete() => _pieces.Writer.Complete();

    /// <summary>Sends every piece when it is due, until the line is complete and empty.</summary>
    public async Task DrainAsync(Socket destination, CancellationToken cancellationToken)
    {
        await foreach (var piece in _pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await WaitAsync(piece.Arrived, cancellationToken).ConfigureAwait(false);
            await destination.SendAsync(piece.Bytes, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask WaitAsync(long arrived, CancellationToken cancellationToken)
    {
        var left = delay - time.GetElapsedTime(arrived);
        if (left > TimerSlack)
        {
            await Task.Delay(left - TimerSlack, time, cancellationToken).ConfigureAwait(false);
        }

        while (time.GetElapsedTime(arrived) < delay)
        {
            Thread.Yield();
        }
    }

    private readonly record struct Piece(long Arrived, byte[] Bytes);
}
