using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;
using Forerun.Protocol;

namespace Forerun.Edge;

/// <summary>One generation on the edge: its history, and its rounds one after another.</summary>
internal sealed class EdgeSession
{
    private readonly IVerification _verification;
    private readonly IDrafter? _drafter;
    private readonly GenerationLimits _limits;
    private readonly List<int> _history;
    private readonly int _draftLength;
    private readonly bool _isColocated;
    private readonly TimeProvider _time;
    private int _round;

    /// <summary>Starts a generation; the first draft follows the prompt directly, while the target still reads it.
    /// </summary>
    public EdgeSession(
        IVerification verification, IDrafter? drafter, GenerationRequest request, int draftLength, TimeProvider time)
    {
        _verification = verification;
        _drafter = request.Mode is DecodingMode.Autoregressive or DecodingMode.Colocated ? null : drafter;
        _isColocated = request.Mode == DecodingMode.Colocated;
        _draftLength = draftLength;
        _time = time;
        _history = [.. request.PromptTokens];

        // The target's own context bounds its verdicts; here only the token limit is known for sure.
        _limits = new GenerationLimits(int.MaxValue, _history.Count, request.MaxTokens);
        _drafter?.Begin(request);
    }

    /// <summary>One round: draft, send, verify, accept. The drafter rolls back when it drafts next.</summary>
    public async Task<DecodedRound> DecodeRoundAsync(CancellationToken cancellationToken)
    {
        _round++;
        var started = _time.GetTimestamp();
        var draft = MakeDraft();
        var drafted = _time.GetTimestamp();
        if (_drafter is not null)
        {
            await _verification.SendAsync(draft, cancellationToken).ConfigureAwait(false);
        }

        var verdict = await ReadVerdictAsync(draft, cancellationToken).ConfigureAwait(false);
        var verified = _time.GetTimestamp();
        ImmutableArray<int> output = [.. AcceptedTokens(draft, verdict), verdict.NextToken];
        _history.AddRange(output);
        return new DecodedRound
        {
            Round = _round,
            Tokens = output,
            DraftLength = DraftLength(draft, verdict),
            AcceptedCount = verdict.AcceptedCount,
            DraftTime = _time.GetElapsedTime(started, drafted),
            WaitTime = _time.GetElapsedTime(drafted, verified),
            ServerTimings = verdict.Timings,
            End = verdict.IsLast ? await ReadEndAsync(cancellationToken).ConfigureAwait(false) : null,
            Bytes = _verification.Bytes,
        };
    }

    private int DraftLength(Draft draft, Verdict verdict) => _isColocated ? verdict.DraftLength : draft.Tokens.Length;

    private ReadOnlySpan<int> AcceptedTokens(Draft draft, Verdict verdict) => _isColocated
        ? verdict.AcceptedTokens.AsSpan()
        : draft.Tokens.AsSpan(0, verdict.AcceptedCount);

    private Draft MakeDraft()
    {
        if (_drafter is null)
        {
            return new Draft(_round, _history.Count, []);
        }

        Span<int> tokens = stackalloc int[ProtocolConstants.MaxDraftLength];
        var length = _limits.DraftLength(_history.Count, _draftLength);
        var count = length == 0 ? 0 : _drafter.Propose(CollectionsMarshal.AsSpan(_history), tokens[..length]);
        return new Draft(_round, _history.Count, [.. tokens[..count]]);
    }

    private async Task<Verdict> ReadVerdictAsync(Draft draft, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (await _verification.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                case Verdict verdict when verdict.Round != draft.Round:
                    throw new ProtocolException(
                        VerificationErrorCode.BadRound,
                        "The server sent a verdict of another round.",
                        $"round {draft.Round}",
                        $"round {verdict.Round}");
                case Verdict verdict when verdict.AcceptedCount > DraftLength(draft, verdict):
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        $"The server accepted more tokens than were drafted in round {draft.Round}.",
                        $"at most {DraftLength(draft, verdict)}",
                        $"{verdict.AcceptedCount}");
                case Verdict verdict when _isColocated && verdict.AcceptedTokens.Length != verdict.AcceptedCount:
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        $"The server's verdict of round {draft.Round} lacks tokens that it accepted.",
                        $"{verdict.AcceptedCount}",
                        $"{verdict.AcceptedTokens.Length}");
                case Verdict verdict:
                    return verdict;
                case GenerationEnd:
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        "The server ended the generation without a last verdict.",
                        $"the verdict of round {draft.Round}",
                        "an end");
                default:
                    break;
            }
        }
    }

    private async Task<GenerationEnd> ReadEndAsync(CancellationToken cancellationToken)
    {
        var next = await _verification.ReadAsync(cancellationToken).ConfigureAwait(false);
        return next as GenerationEnd ?? throw new ProtocolException(
            VerificationErrorCode.BadMessage,
            "The server went on after the last verdict.",
            "an end",
            next.GetType().Name);
    }
}
