using System.Runtime.InteropServices;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.EdgeOnly;

/// <summary>One generation of the draft model alone: a token per round, nothing verified.</summary>
internal sealed class EdgeOnlyVerification : IVerification
{
    private readonly ModelDrafter _drafter;
    private readonly GenerationLimits _limits;
    private readonly List<int> _tokens;
    private readonly int _promptLength;
    private GenerationEnd? _end;

    /// <summary>Starts behind the prompt, which was checked; nothing is computed yet.</summary>
    public EdgeOnlyVerification(LanguageModel model, GenerationRequest request)
    {
        _tokens = [.. request.PromptTokens];
        _promptLength = _tokens.Count;
        _limits = new GenerationLimits(
            model.Config.MaxPositionEmbeddings,
            _promptLength,
            request.MaxTokens,
            request.IgnoreEndTokens ? [] : model.Tokenizer.EndTokens);
        _drafter = new ModelDrafter(model) { UsesRepeats = false };

        // Nothing is accepted here, so nothing is cut down to what could travel: it is the draft model's own text.
        _drafter.Begin(request with { Sampling = request.Sampling with { Acceptance = AcceptanceRule.SharedNoise } });
    }

    /// <inheritdoc/>
    public WireBytes Bytes => default;

    private int Rounds => _tokens.Count - _promptLength;

    /// <inheritdoc/>
    public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default) =>
        throw new ProtocolException(
            VerificationErrorCode.BadMode, "A draft came in the mode edge-only, in which nothing is verified.");

    /// <inheritdoc/>
    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default) =>
        ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<VerificationEvent>(_end is not null ? _end : NextToken());
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _drafter.Dispose();
        return ValueTask.CompletedTask;
    }

    private Verdict NextToken()
    {
        Span<int> token = stackalloc int[1];
        if (_drafter.Propose(CollectionsMarshal.AsSpan(_tokens), token) == 0)
        {
            throw new InvalidOperationException("The draft model gave no token although its context has room.");
        }

        var reason = _limits.FinishReasonOf(token[0], _tokens.Count);
        _tokens.Add(token[0]);
        if (reason is { } known)
        {
            _end = new GenerationEnd(
                known, new Usage { PromptTokens = _promptLength, OutputTokens = Rounds, Rounds = Rounds });
        }

        return new Verdict(Rounds, AcceptedCount: 0, token[0], default, IsLast: reason is not null);
    }
}
