using Forerun.Core.Decoding;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Forerun.Edge;

/// <summary>One generation's stream: drafts up, verdicts down.</summary>
internal sealed class GrpcVerification(
    AsyncDuplexStreamingCall<EdgeMessage, CloudMessage> call, CallFailures failures, AnswerTimes answers, TimeProvider time)
    : IVerification
{
    private static readonly WriteOptions Together = new(WriteFlags.BufferHint);

    private long? _askedAt;
    private long _up;
    private long _down;
    private bool _ended;

    /// <inheritdoc/>
    public WireBytes Bytes => new(Interlocked.Read(ref _up), Interlocked.Read(ref _down));

    /// <inheritdoc/>
    /// <remarks>Measured while the target streams, when no verdict tells it; kept for the connection's next generations.</remarks>
    public TimeSpan? RoundTripTime => answers.Quickest;

    /// <inheritdoc/>
    public ValueTask SendAsync(Core.Decoding.Draft draft, CancellationToken cancellationToken = default) =>
        WriteAsync(RoundMapping.ToMessage(draft), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>One write to the connection: each costs both sides a wake-up.</remarks>
    public async ValueTask SendAllAsync(
        IReadOnlyList<Core.Decoding.Draft> drafts, CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < drafts.Count; i++)
        {
            call.RequestStream.WriteOptions = i < drafts.Count - 1 ? Together : null;
            await SendAsync(drafts[i], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default)
    {
        await WriteAsync(RoundMapping.ToStreamMessage(throughRound), cancellationToken).ConfigureAwait(false);
        if (_askedAt is null)
        {
            _askedAt = time.GetTimestamp();
            await WriteAsync(new EdgeMessage { KeepAlive = new() }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public ValueTask OfferAsync(
        IReadOnlyList<Core.Decoding.Draft> drafts, int draftLength, CancellationToken cancellationToken = default) =>
        drafts.Count == 0 ? ValueTask.CompletedTask : WriteAsync(RoundMapping.ToMessage(drafts, draftLength), cancellationToken);

    /// <summary>Writes a message. A stream that the server has closed takes nothing more: the next read tells why.
    /// </summary>
    public async ValueTask WriteAsync(EdgeMessage message, CancellationToken cancellationToken)
    {
        try
        {
            Interlocked.Add(ref _up, SizeOf(message));
            await call.RequestStream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsClosed(exception))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var message = await ReadMessageAsync(cancellationToken).ConfigureAwait(false);
            switch (message.KindCase)
            {
                case CloudMessage.KindOneofCase.Error:
                    throw ErrorTable.ToError(message.Error).ToException();
                case CloudMessage.KindOneofCase.GoAway:
                    throw GoingAway(message.GoAway);
                default:
                    var verificationEvent = RoundMapping.ToEvent(message);
                    if (verificationEvent is SignOfLife)
                    {
                        TakeAnswer();
                    }
                    else if (verificationEvent is not null)
                    {
                        _ended = verificationEvent is GenerationEnd;
                        return verificationEvent;
                    }

                    break;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // After the end both sides close in peace; before it, disposing the call resets the stream, and the server
        // stops within one pass.
        if (_ended)
        {
            try
            {
                using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await call.ResponseStream.MoveNext(timeout.Token).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsClosed(exception))
            {
            }
        }

        call.Dispose();
    }

    private void TakeAnswer()
    {
        if (_askedAt is { } asked)
        {
            answers.Add(time.GetElapsedTime(asked));
            _askedAt = null;
        }
    }

    private async ValueTask<CloudMessage> ReadMessageAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!await call.ResponseStream.MoveNext(cancellationToken).ConfigureAwait(false))
            {
                throw failures.Unreachable("the stream ended in the middle of the generation");
            }
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw failures.ToException(exception);
        }

        var message = call.ResponseStream.Current;
        Interlocked.Add(ref _down, SizeOf(message));
        return message;
    }

    private static VerifierUnavailableException GoingAway(GoAway goAway)
    {
        var where = goAway.Retry.Length == 0 ? "at the same address" : $"at '{goAway.Retry}'";
        return new VerifierUnavailableException(new VerificationError(
            VerificationErrorCode.GoingAway,
            $"The server is shutting down; it ended the generation after round {goAway.AfterRound}. "
            + $"Try again {where}."));
    }

    private static bool IsClosed(Exception exception) =>
        exception is RpcException or InvalidOperationException or OperationCanceledException or IOException;

    private static int SizeOf(IMessage message) => message.CalculateSize() + ProtocolConstants.FrameHeaderBytes;
}
