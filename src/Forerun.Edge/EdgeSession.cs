using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Control;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;

namespace Forerun.Edge;

/// <summary>One generation on the edge: its rounds one after another. Disposing gives the drafter's memory back.</summary>
internal sealed partial class EdgeSession : IDisposable
{
    private readonly IVerification _verification;
    private readonly IDrafter? _drafter;
    private readonly PreDrafter? _preDrafter;
    private readonly Rehearsal? _rehearsal;
    private readonly OfferDrafter? _offers;
    private readonly GenerationLimits _limits;
    private readonly IDecodingPolicy _policy;
    private readonly VerdictOdds _odds;
    private readonly MeasuredTimes _times;
    private readonly bool _endsDraftsEarly;
    private readonly bool _isColocated;
    private readonly bool _needsDraftProbs;
    private readonly bool _wantsLogProbabilities;
    private readonly TimeProvider _time;
    private readonly CoreRoom _room;
    private IdleThread? _idle;
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
        EdgeDecoderOptions options,
        VerdictOdds odds,
        MeasuredTimes times,
        CoreRoom room,
        TimeProvider time)
    {
        _verification = verification;
        _drafter = request.Mode.DraftsOnEdge() ? drafter : null;
        _isColocated = request.Mode == DecodingMode.Colocated;
        _needsDraftProbs = request.Sampling.NeedsDraftProbs();
        _wantsLogProbabilities = request.TopLogProbabilities is not null;
        (_policy, _odds, _times) = (policy, odds, times);
        (_room, _time) = (room, time);
        _endsDraftsEarly = options.EndsDraftsEarly;
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
            _preDrafter = new PreDrafter(_drafter, DraftLengthAt, odds, options.PreDrafts, time)
            {
                NeedsDraftProbs = _needsDraftProbs,
            };
            _rehearsal = new Rehearsal(_drafter, odds, time);
            _offers = _needsDraftProbs ? null : new OfferDrafter(_drafter, _limits.DraftLength, odds, time);
        }
    }

    /// <summary>One round: draft, send, verify, accept; while the target verifies, the next one is drafted ahead.
    /// </summary>
    public async Task<DecodedRound> DecodeRoundAsync(CancellationToken cancellationToken)
    {
        _round++;
        _odds.LeastDraftChance = _endsDraftsEarly ? _times.LeastDraftChance : 0;
        await ChooseAsync(cancellationToken).ConfigureAwait(false);
        var isSentAhead = _sent is not null;
        var started = _time.GetTimestamp();
        TimeSpan? stepTime = null;
        var draft = _sent ?? MakeDraft(out stepTime);
        var drafted = _time.GetTimestamp();
        var endsEarly = isSentAhead ? _preDrafter!.EndsEarly : draft.Tokens.Length < DraftLengthAt(_position);
        if (_drafter is not null && !isSentAhead && !IsStreaming)
        {
            await _verification.SendAsync(draft, cancellationToken).ConfigureAwait(false);
        }

        if (DraftsAhead)
        {
            _preDrafter!.Begin(draft, _trunk, _choice.Mode == DecodingMode.Pipelined);
        }
        else
        {
            _preDrafter?.Clear();
        }

        var isAlone = !DraftsAhead && !IsOffering && !IsRehearsing;
        var verdict = await ReadVerdictAsync(draft, cancellationToken).ConfigureAwait(false);
        var verified = _time.GetTimestamp();
        ImmutableArray<int> output = [.. AcceptedTokens(draft, verdict), verdict.NextToken];
        var round = new DecodedRound
        {
            Round = _round,
            Choice = _choice.Mode == DecodingMode.Autoregressive ? DecodingChoice.Streaming : _choice,
            Tokens = output,
            LogProbabilities = verdict.LogProbabilities,
            DraftLength = DraftLength(draft, verdict),
            AcceptedCount = verdict.AcceptedCount,
            IsSentAhead = isSentAhead || (IsOffering && verdict.DraftLength > 0),
            PreDrafts = Accept(verdict, output, out var rehearsed),
            Rehearsed = rehearsed,
            IsAlone = isAlone,
            EndsEarly = endsEarly,
            DraftStepTime = stepTime,
            DraftTime = _time.GetElapsedTime(started, drafted),
            WaitTime = _time.GetElapsedTime(drafted, verified),
            ServerTimings = verdict.Timings,
            RoundTripTime = _verification.RoundTripTime,
            End = verdict.IsLast ? await ReadEndAsync(cancellationToken).ConfigureAwait(false) : null,
            Bytes = _verification.Bytes,
        };
        _times.Learn(round);
        _policy.Learn(round);
        return round;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _idle?.Dispose();
        _preDrafter?.Dispose();
        _offers?.Dispose();
        _trunk.Dispose();
    }

    /// <summary>Whether the next round's draft is guessed at while this one is verified.</summary>
    private bool DraftsAhead => _choice.Mode.DraftsAhead();

    private int DraftLengthAt(int position) => _limits.DraftLength(position, _choice.DraftLength);

    /// <summary>The server alone knows which draft was verified: its own, or an offer.</summary>
    private bool IsServersDraft => _isColocated || (IsStreaming && _offers is not null);

    private int DraftLength(Draft draft, Verdict verdict) => IsServersDraft ? verdict.DraftLength : draft.Tokens.Length;

    private ReadOnlySpan<int> AcceptedTokens(Draft draft, Verdict verdict) => IsServersDraft
        ? verdict.AcceptedTokens.AsSpan()
        : draft.Tokens.AsSpan(0, verdict.AcceptedCount);

    /// <summary>The round's draft: what is drafted already, and the rest of it, as far as it is worth it.</summary>
    private Draft MakeDraft(out TimeSpan? stepTime)
    {
        stepTime = null;
        if (_drafter is null || IsStreaming)
        {
            return new Draft(_round, _position, []);
        }

        _trunk.Wanted = DraftLengthAt(_position);
        var (steps, second) = (0, 0L);
        while (!_trunk.IsComplete && _odds.DraftLength(_trunk, _trunk.Wanted) == _trunk.Count)
        {
            second = steps++ == 1 ? _time.GetTimestamp() : second;
            _drafter.Extend(new ReadOnlySpan<DraftBranch>(in _trunk));
        }

        stepTime = steps > 1 ? _time.GetElapsedTime(second) / (steps - 1) : null;
        return _trunk.ToDraft(_round, _odds.DraftLength(_trunk, _trunk.Wanted), _needsDraftProbs);
    }

    /// <summary>Moves behind the verdict; what was drafted ahead for it is kept.</summary>
    private PreDraftStatistics Accept(Verdict verdict, ImmutableArray<int> output, out RehearsedDraft? rehearsed)
    {
        rehearsed = null;
        _position += verdict.AcceptedCount + 1;
        if (DraftsAhead)
        {
            return _preDrafter!.Decide(verdict, ref _trunk, out _sent);
        }

        _sent = null;
        if (IsOffering)
        {
            rehearsed = _offers!.Accept(ref _trunk, verdict, output.AsSpan());
        }
        else if (IsStreaming)
        {
            foreach (var token in output)
            {
                rehearsed = _rehearsal?.Accept(_trunk, token) ?? rehearsed;
            }
        }
        else if (_drafter is not null)
        {
            _odds.Learn(_trunk, verdict);
            _trunk.Advance(verdict.AcceptedCount, verdict.NextToken, DraftLengthAt(_position));
        }

        return PreDraftStatistics.None;
    }
}
