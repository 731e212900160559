using Forerun.Core.Decoding;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>The gRPC face of the scheduler: each call is one generation, with one reader and one writer.</summary>
internal sealed class VerifierService(VerificationScheduler scheduler, ILogger<VerifierService> logger)
    : Verifier.VerifierBase
{
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(1);

    public override Task<Description> Describe(DescribeRequest request, ServerCallContext context) =>
        Task.FromResult(DescriptionMapping.ToMessage(scheduler.Description));

    public override async Task Generate(
        IAsyncStreamReader<EdgeMessage> requestStream,
        IServerStreamWriter<CloudMessage> responseStream,
        ServerCallContext context)
    {
        LocalVerification? verification = null;
        var reading = Task.CompletedTask;
        using var leaving = new CancellationTokenSource();
        try
        {
            verification = await OpenAsync(requestStream, context.CancellationToken);
            await responseStream.WriteAsync(Accepted(), context.CancellationToken);
            reading = ReadAsync(verification, requestStream, leaving.Token);
            await WriteAsync(verification, responseStream, context.CancellationToken);
        }
        catch (Exception) when (context.CancellationToken.IsCancellationRequested)
        {
            CloudLog.Cancelled(logger, verification?.DecidedRounds ?? 0);
        }
        catch (Exception exception)
        {
            await FailAsync(exception, verification, responseStream, reading);
        }
        finally
        {
            if (verification is not null)
            {
                await verification.DisposeAsync();
            }

            // The server reuses the stream's buffers for the next call: no read may be left behind.
            await leaving.CancelAsync();
            await reading;
        }
    }

    private async Task<LocalVerification> OpenAsync(
        IAsyncStreamReader<EdgeMessage> requests, CancellationToken cancellationToken)
    {
        var first = await requests.MoveNext(cancellationToken) ? requests.Current.KindCase : default;
        if (first != EdgeMessage.KindOneofCase.Open)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMessage, "The first message of a stream is wrong.", "Open", $"{first}");
        }

        var opening = OpenMapping.ToOpening(requests.Current.Open);
        RequestCheck.CheckOpening(opening, scheduler.Description);
        var verification = scheduler.Open(opening.Request);
        CloudLog.Opened(logger, opening.Request.PromptTokens.Length, opening.Request.Mode);
        return verification;
    }

    private CloudMessage Accepted() => new()
    {
        Accepted = new Accepted { Description = DescriptionMapping.ToMessage(scheduler.Description) },
    };

    /// <summary>Takes in drafts until the edge cancels or the call ends. Errors reach the writer through the
    /// verification.</summary>
    private static async Task ReadAsync(
        LocalVerification verification, IAsyncStreamReader<EdgeMessage> requests, CancellationToken cancellationToken)
    {
        try
        {
            while (await requests.MoveNext(cancellationToken))
            {
                switch (requests.Current.KindCase)
                {
                    case EdgeMessage.KindOneofCase.Draft:
                        await verification.SendAsync(
                            RoundMapping.ToDraft(requests.Current.Draft), cancellationToken);
                        break;
                    case EdgeMessage.KindOneofCase.Stream:
                        await verification.StreamAsync(
                            RoundMapping.ToThroughRound(requests.Current.Stream), cancellationToken);
                        break;
                    case EdgeMessage.KindOneofCase.Offer:
                        var (offered, draftLength) = RoundMapping.ToOffer(requests.Current.Offer);
                        await verification.OfferAsync(offered, draftLength, cancellationToken);
                        break;
                    case EdgeMessage.KindOneofCase.Cancel:
                        verification.Cancel(new OperationCanceledException());
                        return;
                    case EdgeMessage.KindOneofCase.Open:
                        throw new ProtocolException(
                            VerificationErrorCode.BadMessage, "A stream is opened once.", "a draft", "a second Open");
                    case EdgeMessage.KindOneofCase.KeepAlive:
                        verification.Hear();
                        break;
                    default:
                        // A newer version's.
                        break;
                }
            }

            verification.Cancel(new OperationCanceledException());
        }
        catch (Exception exception)
        {
            verification.Cancel(exception);
        }
    }

    private async Task WriteAsync(
        LocalVerification verification,
        IServerStreamWriter<CloudMessage> responses,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            var verificationEvent = await verification.ReadAsync(cancellationToken);
            await responses.WriteAsync(RoundMapping.ToMessage(verificationEvent), cancellationToken);
            if (verificationEvent is GenerationEnd end)
            {
                CloudLog.Ended(logger, end.Reason, end.Usage.OutputTokens, end.Usage.Rounds);
                return;
            }
        }
    }

    /// <summary>Ends the call with a typed error; an edge that cancels or disappears needs none.</summary>
    private async Task FailAsync(
        Exception exception,
        LocalVerification? verification,
        IServerStreamWriter<CloudMessage> responses,
        Task reading)
    {
        if (exception is OperationCanceledException or (IOException and not InvalidProtocolBufferException))
        {
            CloudLog.Cancelled(logger, verification?.DecidedRounds ?? 0);
            return;
        }

        var error = ToError(exception);
        CloudLog.Failed(logger, error.Code, error.Text);
        if (error.Code == VerificationErrorCode.GoingAway && verification is not null)
        {
            await responses.WriteAsync(
                new CloudMessage { GoAway = new GoAway { AfterRound = (uint)verification.DecidedRounds } });

            // The connection is about to close: the edge leaves first, so that the message is not lost.
            await Task.WhenAny(reading, Task.Delay(LeaveTime));
        }
        else
        {
            await responses.WriteAsync(ErrorTable.ToMessage(error));
        }

        throw new RpcException(ErrorTable.ToStatus(error));
    }

    private VerificationError ToError(Exception exception)
    {
        switch (exception)
        {
            case RpcException rpc:
                return ErrorTable.ToError(rpc.Status);
            case InvalidProtocolBufferException:
                return new VerificationError(VerificationErrorCode.BadMessage, "A message cannot be read.");
            default:
                if (ErrorTable.ErrorOf(exception) is { } error)
                {
                    return error;
                }

                CloudLog.Broken(logger, exception);
                return new VerificationError(
                    VerificationErrorCode.Internal, "The server failed; its log tells why.");
        }
    }
}
