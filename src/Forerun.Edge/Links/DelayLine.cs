using System.Net.Sockets;
using System.Threading.Channels;

namespace Forerun.Edge.Links;

/// <summary>Bytes on their way in one direction: each piece leaves when the model says so, in order.</summary>
/// <param name="model">Says when.</param>
/// <param name="start">Timestamp of the link's start.</param>
/// <param name="time">Clock and timers.</param>
internal sealed class DelayLine(LinkModel model, long start, TimeProvider time)
{
    private const int MaxPieces = 1024;

    private readonly Channel<Piece> _pieces = Channel.CreateBounded<Piece>(
        new BoundedChannelOptions(MaxPieces) { SingleReader = true, SingleWriter = true });

    /// <summary>Takes a copy of the bytes.</summary>
    public ValueTask AddAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        _pieces.Writer.WriteAsync(
            new Piece(model.Deliver(time.GetElapsedTime(start), bytes.Length), bytes.ToArray()), cancellationToken);

    /// <summary>No more bytes will come.</summary>
    public void Complete() => _pieces.Writer.Complete();

    /// <summary>Sends every piece when it is due, until the line is complete and empty.</summary>
    public async Task DrainAsync(Socket destination, CancellationToken cancellationToken)
    {
        await foreach (var piece in _pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await WaitAsync(piece.Due, cancellationToken).ConfigureAwait(false);
            for (var sent = 0; sent < piece.Bytes.Length;)
            {
                sent += await destination.SendAsync(piece.Bytes.AsMemory(sent), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask WaitAsync(TimeSpan due, CancellationToken cancellationToken)
    {
        while (due - time.GetElapsedTime(start) is { Ticks: > 0 } left)
        {
            var rang = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var timer = time.CreateTimer(
                static rang => ((TaskCompletionSource)rang!).TrySetResult(), rang, left, Timeout.InfiniteTimeSpan);
            await rang.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private readonly record struct Piece(TimeSpan Due, byte[] Bytes);
}
