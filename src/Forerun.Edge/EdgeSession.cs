using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Control;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;

namespace Forerun.Edge;

/// <summary>One generation on the edge: its rounds one after another. Disposing gives the drafter's memory back.</summary>
internal sealed partial class EdgeSession : IDisposable
{
    private const int RoundsPerStream = 8;

    private readonly IVerification _verification;
    private readonly IDrafter? _drafter;
    private readonly PreDrafter? _preDrafter;
    private readonly Rehearsal? _rehearsal;
    private readonly GenerationLimits _limits;
    private readonly IDecodingPolicy _policy;
    private readonly bool _isColocated;
    private readonly bool _needsDraftProbs;
    private readonly bool _wantsLogProbabilities;
    private readonly TimeProvider _time;
    private DraftBranch _trunk = new();
    private DecodingChoice _choice;
    private Draft? _sent;
    private int _position;
    private int _round;

    /// <summary>Starts a generation; the first draft follows the prompt directly, while the target still reads it.
    /// </summary>
    public EdgeSession(
        IVerification verification,
        IDrafter? drafter,
        GenerationRequest request,
        IDecodingPolicy policy,
        PreDraftOptions preDrafts,
        VerdictOdds odds,
        TimeProvider time)
    {
        _verification = verification;
        _drafter = request.Mode.DraftsOnEdge() ? drafter : null;
        _isColocated = request.Mode == DecodingMode.Colocated;
        _needsDraftProbs = request.Sampling.NeedsDraftProbs();
        _wantsLogProbabilities = request.TopLogProbabilities is not null;
        _policy = policy;
        _time = time;
        _position = request.PromptTokens.Length;

        // The target's own context bounds its verdicts; here only the token limit is known for sure.
        _limits = new GenerationLimits(int.MaxValue, _position, request.MaxTokens);
        if (_drafter is null)
        {
            return;
        }

        _drafter.Begin(request);
        _trunk.Follow(request.PromptTokens.AsSpan(), wanted: 0);
        if (request.Mode.DraftsAhead())
        {
            _preDrafter = new PreDrafter(_drafter, DraftLengthAt, odds, preDrafts, time)
            {
                NeedsDraftProbs = _needsDraftProbs,
            };
            _rehearsal = new Rehearsal(_drafter, odds, time);
        }
    }

    /// <summary>One round: draft, send, verify, accept; while the target verifies, the next one is drafted ahead.
    /// </summary>
    public async Task<DecodedRound> DecodeRoundAsync(CancellationToken cancellationToken)
    {
        _round++;
        await ChooseAsync(cancellationToken).ConfigureAwait(false);
        var isSentAhead = _sent is not null;
        var started = _time.GetTimestamp();
        var draft = _sent ?? MakeDraft();
        var drafted = _time.GetTimestamp();
        if (_drafter is not null && !isSentAhead && !IsStreaming)
        {
            await _verification.SendAsync(draft, cancellationToken).ConfigureAwait(false);
        }

        if (DraftsAhead)
        {
            _preDrafter!.Begin(draft, _trunk, _choice.Mode == DecodingMode.Pipelined);
        }

        var verdict = await ReadVerdictAsync(draft, cancellationToken).ConfigureAwait(false);
        var verified = _time.GetTimestamp();
        ImmutableArray<int> output = [.. AcceptedTokens(draft, verdict), verdict.NextToken];
        var round = new DecodedRound
        {
            Round = _round,
            Choice = IsStreaming ? new(DecodingMode.Autoregressive, 0) : _choice,
            Tokens = output,
            LogProbabilities = verdict.LogProbabilities,
            DraftLength = DraftLength(draft, verdict),
            AcceptedCount = verdict.AcceptedCount,
            IsSentAhead = isSentAhead,
            PreDrafts = Accept(verdict, out var rehearsed),
            Rehearsed = rehearsed,
            DraftTime = _time.GetElapsedTime(started, drafted),
            WaitTime = _time.GetElapsedTime(drafted, verified),
            ServerTimings = verdict.Timings,
            End = verdict.IsLast ? await ReadEndAsync(cancellationToken).ConfigureAwait(false) : null,
            Bytes = _verification.Bytes,
        };
        _policy.Learn(round);
        return round;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _preDrafter?.Dispose();
        _trunk.Dispose();
    }

    /// <summary>Whether the next round's draft is guessed at while this one is verified.</summary>
    private bool DraftsAhead => _choice.Mode.DraftsAhead();

    private int DraftLengthAt(int position) => _limits.DraftLength(position, _choice.DraftLength);

    private int DraftLength(Draft draft, Verdict verdict) => _isColocated ? verdict.DraftLength : draft.Tokens.Length;

    private ReadOnlySpan<int> AcceptedTokens(Draft draft, Verdict verdict) => _isColocated
        ? verdict.AcceptedTokens.AsSpan()
        : draft.Tokens.AsSpan(0, verdict.AcceptedCount);

    /// <summary>The round's draft: what is drafted already, and the rest of it.</summary>
    private Draft MakeDraft()
    {
        if (_drafter is null || IsStreaming)
        {
            return new Draft(_round, _position, []);
        }

        _trunk.Wanted = DraftLengthAt(_position);
        while (!_trunk.IsComplete)
        {
            _drafter.Extend(new ReadOnlySpan<DraftBranch>(in _trunk));
        }

        return new Draft(_round, _position, [.. _trunk.Drafted])
        {
            DraftProbs = _needsDraftProbs ? _trunk.DraftProbs : [],
        };
    }

    /// <summary>Moves behind the verdict; what was drafted ahead for it is kept.</summary>
    private PreDraftStatistics Accept(Verdict verdict, out RehearsedDraft? rehearsed)
    {
        rehearsed = null;
        _position += verdict.AcceptedCount + 1;
        if (DraftsAhead)
        {
            return _preDrafter!.Decide(verdict, ref _trunk, out _sent);
        }

        _sent = null;
        if (IsStreaming)
        {
            rehearsed = _rehearsal?.Accept(_trunk, verdict.NextToken);
        }
        else if (_drafter is not null)
        {
            _trunk.Advance(verdict.AcceptedCount, verdict.NextToken, DraftLengthAt(_position));
        }

        return PreDraftStatistics.None;
    }

    private async Task<Verdict> ReadVerdictAsync(Draft draft, CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (await PreDraftUntilNextAsync(cancellationToken).ConfigureAwait(false))
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
                case Verdict verdict when _wantsLogProbabilities && verdict.LogProbabilities.Length != verdict.AcceptedCount + 1:
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        $"The server's verdict of round {draft.Round} lacks log probabilities. Ask for none, or update the server.",
                        $"{verdict.AcceptedCount + 1}",
                        $"{verdict.LogProbabilities.Length}");
                case Verdict verdict:
                    return verdict;
                case GenerationEnd:
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        "The server ended the generation without a last verdict.",
                        $"the verdict of round {draft.Round}",
                        "an end");
                case Announcement announcement when DraftsAhead:
                    _preDrafter!.Announce(announcement);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>Waits for the next event, and drafts ahead or rehearses, step by step, as long as it has not come.</summary>
    private async ValueTask<VerificationEvent> PreDraftUntilNextAsync(CancellationToken cancellationToken)
    {
        var reading = _verification.ReadAsync(cancellationToken);
        while (!reading.IsCompleted)
        {
            if (DraftsAhead && _preDrafter!.NextToSend() is { } ahead)
            {
                await _verification.SendAsync(ahead, cancellationToken).ConfigureAwait(false);
            }
            else if (!(DraftsAhead ? _preDrafter!.Step() : IsStreaming && _rehearsal?.Step(_trunk) == true))
            {
                break;
            }

            // On a device with one core, what reads the network gets its turn.
            Thread.Yield();
        }

        return await reading.ConfigureAwait(false);
    }

    private async Task<GenerationEnd> ReadEndAsync(CancellationToken cancellationToken)
    {
        VerificationEvent next;
        do
        {
            // An exit's announcement may come late: it is a hint, nothing more.
            next = await _verification.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        while (next is Announcement);

        return next as GenerationEnd ?? throw new ProtocolException(
            VerificationErrorCode.BadMessage,
            "The server went on after the last verdict.",
            "an end",
            next.GetType().Name);
    }
}
