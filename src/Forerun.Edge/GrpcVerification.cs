using Forerun.Core.Decoding;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;

namespace Forerun.Edge;

/// <summary>One generation's stream: drafts up, verdicts down.</summary>
internal sealed class GrpcVerification(
    AsyncDuplexStreamingCall<EdgeMessage, CloudMessage> call, CallFailures failures) : IVerification
{
    private long _up;
    private long _down;
    private bool _ended;

    /// <inheritdoc/>
    public WireBytes Bytes => new(Interlocked.Read(ref _up), Interlocked.Read(ref _down));

    /// <inheritdoc/>
    public ValueTask SendAsync(Core.Decoding.Draft draft, CancellationToken cancellationToken = default) =>
        WriteAsync(RoundMapping.ToMessage(draft), cancellationToken);

    /// <inheritdoc/>
    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default) =>
        WriteAsync(RoundMapping.ToStreamMessage(throughRound), cancellationToken);

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
                    if (RoundMapping.ToEvent(message) is { } verificationEvent)
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
