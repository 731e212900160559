using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Grpc.Core;
using Grpc.Net.Client;

namespace Forerun.Edge;

/// <summary>A verifier on another machine, over gRPC. One connection serves all generations. Thread-safe.</summary>
public sealed class GrpcVerifier : IVerifier, IDisposable
{
    private readonly AnswerTimes _answers = new();
    private readonly GrpcVerifierOptions _options;
    private readonly TimeProvider _time;
    private readonly GrpcChannel _channel;
    private readonly Verifier.VerifierClient _client;

    /// <summary>Prepares the connection; it is made on first use.</summary>
    /// <exception cref="ArgumentException">The endpoint is not an absolute http or https address.</exception>
    public GrpcVerifier(GrpcVerifierOptions options, TimeProvider? timeProvider = null)
    {
        if (!options.Endpoint.IsAbsoluteUri || options.Endpoint.Scheme is not ("http" or "https"))
        {
            throw new ArgumentException(
                "The endpoint is not usable: expected 'http://host:port' or 'https://host:port', "
                + $"got '{options.Endpoint}'.",
                nameof(options));
        }

        _options = options;
        _time = timeProvider ?? TimeProvider.System;
        _channel = GrpcChannel.ForAddress(options.Endpoint, new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = options.ConnectTimeout,
                KeepAlivePingDelay = options.KeepAlive,
                KeepAlivePingTimeout = options.KeepAlive,
                EnableMultipleHttp2Connections = true,
                UseProxy = false,
            },
            DisposeHttpClient = true,
        });
        _client = new Verifier.VerifierClient(_channel);
    }

    /// <inheritdoc/>
    public async ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default)
    {
        var failures = new CallFailures(_options.Endpoint, _time);
        try
        {
            var description = await _client.DescribeAsync(
                new DescribeRequest(), cancellationToken: cancellationToken).ConfigureAwait(false);
            return DescriptionMapping.ToDescription(description);
        }
        catch (RpcException exception)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw failures.ToException(exception);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Does not wait for the server: a refusal comes with the first read.</remarks>
    public async ValueTask<IVerification> OpenAsync(
        GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var opening = new Opening
        {
            Request = request,
            ProtocolVersion = request.Sampling.Acceptance == AcceptanceRule.Rejection ? ProtocolConstants.RejectionVersion : 1,
            TokenizerFingerprint = _options.TokenizerFingerprint,
            TargetId = _options.TargetId,
            NumericsId = _options.NumericsId,
        };
        var failures = new CallFailures(_options.Endpoint, _time);
        var call = _client.Generate(Headers(request), cancellationToken: CancellationToken.None);
        var verification = new GrpcVerification(call, failures, _answers, _time);
        try
        {
            await verification.WriteAsync(OpenMapping.ToMessage(opening), cancellationToken).ConfigureAwait(false);
            return verification;
        }
        catch
        {
            await verification.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private Metadata Headers(GenerationRequest request)
    {
        var headers = new Metadata
        {
            { PlacementHeaders.PromptPrefixHash, PlacementHeaders.PrefixHash(request.PromptTokens.AsSpan()) },
        };
        if (_options.TargetId.Length > 0)
        {
            headers.Add(PlacementHeaders.TargetId, _options.TargetId);
        }

        if (_options.NumericsId.Length > 0)
        {
            headers.Add(PlacementHeaders.NumericsId, _options.NumericsId);
        }

        return headers;
    }
}
