using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Forerun.Core.Decoding;
using Forerun.Edge.Control;
using Forerun.Edge.EdgeOnly;
using Forerun.Edge.PreDrafting;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Protocol;

namespace Forerun.Edge;

/// <summary>Decodes with a drafter here and a verifier anywhere: draft, send, verify, accept, roll back. The text is
/// the target's own in every mode but <see cref="DecodingMode.EdgeOnly"/>. One generation at a time.</summary>
public sealed class EdgeDecoder
{
    private readonly IVerifier _verifier;
    private readonly IDrafter? _drafter;
    private readonly EdgeDecoderOptions _options;
    private readonly TimeProvider _time;
    private readonly VerdictOdds _odds = new();
    private readonly MeasuredTimes _times = new(ProtocolConstants.MaxDraftLength);
    private readonly CoreRoom _room;
    private Controller? _controller;

    /// <summary>Decodes with these parts; the caller keeps owning them.</summary>
    /// <param name="verifier">Where the target runs.</param>
    /// <param name="drafter">Who drafts; null allows the modes in which the edge does not draft:
    /// <see cref="DecodingMode.Autoregressive"/>, <see cref="DecodingMode.Colocated"/> and
    /// <see cref="DecodingMode.EdgeOnly"/>.</param>
    /// <param name="options">How it drafts; null = defaults.</param>
    /// <param name="timeProvider">Measures the rounds; null = the system's clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">The draft length is not in 1 … 16, or another option is out of
    /// range.</exception>
    /// <exception cref="PlatformNotSupportedException">An option needs another system.</exception>
    public EdgeDecoder(
        IVerifier verifier,
        IDrafter? drafter = null,
        EdgeDecoderOptions? options = null,
        TimeProvider? timeProvider = null)
    {
        _verifier = verifier;
        _drafter = drafter;
        _options = options ?? EdgeDecoderOptions.Default;
        _time = timeProvider ?? TimeProvider.System;
        _room = new CoreRoom(_time);
        _options.PreDrafts.Validate();
        if (_options.KeepAwake)
        {
            AwakeCores.ThrowIfUnsupported();
        }

        if (_options.DraftLength is < 1 or > ProtocolConstants.MaxDraftLength)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options),
                _options.DraftLength,
                $"The draft length is out of range: expected 1 to {ProtocolConstants.MaxDraftLength}.");
        }
    }

    /// <summary>The newest choice of the mode <see cref="DecodingMode.Auto"/> and what led to it; null before its first
    /// generation.</summary>
    public ControllerDecision? Controller => _controller?.Decision;

    /// <summary>Streams a generation round by round; the last round carries its end. Cancelling or leaving the loop
    /// ends the generation on the server too.</summary>
    /// <exception cref="ArgumentException">The prompt is empty, the mode needs a drafter and there is none, or it is
    /// <see cref="DecodingMode.Asynchronous"/> under rejection sampling.</exception>
    /// <exception cref="ModelMismatchException">Edge and target do not share a tokenizer.</exception>
    /// <exception cref="ProtocolException">The request does not fit the target, or one side broke the protocol.
    /// </exception>
    /// <exception cref="VerifierUnavailableException">The verifier is unreachable, overloaded or gone.</exception>
    public IAsyncEnumerable<DecodedRound> GenerateAsync(
        GenerationRequest request, CancellationToken cancellationToken = default)
    {
        if (request.PromptTokens.IsDefaultOrEmpty)
        {
            throw new ArgumentException("The prompt is empty: expected at least one token.", nameof(request));
        }

        if (request.Mode.DraftsOnEdge() && _drafter is null)
        {
            throw new ArgumentException(
                $"The mode '{request.Mode}' needs a drafter. Pass one, or choose the mode 'Autoregressive'.",
                nameof(request));
        }

        if (request.Mode == DecodingMode.Asynchronous && request.Sampling.NeedsDraftProbs())
        {
            throw new ArgumentException(
                "The mode 'Asynchronous' cannot decide by rejection sampling: which draft is verified depends on when it comes, and so "
                + "would the distribution. Choose another mode, shared noise, or temperature 0.",
                nameof(request));
        }

        var rounds = DecodeAsync(_verifier, request, cancellationToken);

        // The draft model alone has no log probabilities of the target.
        return _options.Fallback is { } fallback && request is { Mode: not DecodingMode.EdgeOnly, TopLogProbabilities: null }
            ? Fallback.FollowAsync(rounds, request, rest => DecodeAsync(fallback, rest, cancellationToken), cancellationToken)
            : rounds;
    }

    /// <summary>Runs a generation to its end. Exceptions as in <see cref="GenerateAsync"/>.</summary>
    public async Task<DecodedGeneration> CompleteAsync(
        GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var tokens = ImmutableArray.CreateBuilder<int>();
        DecodedRound? last = null;
        await foreach (var round in GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            tokens.AddRange(round.Tokens);
            last = round;
        }

        return new DecodedGeneration(tokens.ToImmutable(), last!.End!, last.Bytes);
    }

    private async IAsyncEnumerable<DecodedRound> DecodeAsync(
        IVerifier verifier, GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request is { Mode: DecodingMode.Colocated, DraftLength: 0 })
        {
            request = request with { DraftLength = _options.DraftLength };
        }

        using var awake = _options.KeepAwake ? new AwakeCores() : null;
        var policy = PolicyOf(request.Mode);
        request = request with { Mode = policy.Open(mayOffer: !request.Sampling.NeedsDraftProbs()) };
        var verification = await verifier.OpenAsync(request, cancellationToken).ConfigureAwait(false);
        await using var _ = verification.ConfigureAwait(false);
        using var session = new EdgeSession(
            verification, _drafter, request, policy, _options, _odds, _times, _room, _time);
        DecodedRound round;
        do
        {
            round = await session.DecodeRoundAsync(cancellationToken).ConfigureAwait(false);
            yield return round;
        }
        while (round.End is null);
    }

    /// <summary>What auto learns outlives the generation.</summary>
    private IDecodingPolicy PolicyOf(DecodingMode mode)
    {
        if (mode == DecodingMode.Auto)
        {
            _controller ??= new Controller(_options.DraftLength, _times);
            return _controller;
        }

        return new FixedPolicy(new(mode, mode == DecodingMode.Autoregressive ? 0 : _options.DraftLength));
    }
}
