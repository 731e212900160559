using Forerun.Core.Decoding;
using Forerun.Protocol;

namespace Forerun.Cloud;

/// <summary>Decides which draft is verified next: the one that follows the last verdict, or a queued one whose
/// assumption came true. Drafts may be one round ahead. Not thread-safe.</summary>
/// <param name="promptLength">Prompt tokens: the base position of the first round.</param>
/// <param name="vocabSize">Token ids are 0 … vocabSize - 1.</param>
/// <param name="maxDraftLength">Most tokens of one draft.</param>
/// <param name="needsDraftProbs">Whether drafts bring what their tokens were drawn from, or must not.</param>
internal sealed class DraftInbox(int promptLength, int vocabSize, int maxDraftLength, bool needsDraftProbs = false)
{
    private readonly List<Draft> _queued = [];
    private readonly Offers _offers = new();
    private readonly int _promptLength = promptLength;
    private Assumption? _decided;
    private Draft? _next;
    private bool _isOffered;
    private int _streamedThrough;

    /// <summary>The round that is being verified or waited for, from 1.</summary>
    public int Round { get; private set; } = 1;

    /// <summary>Absolute position of that round's first draft token.</summary>
    public int BasePosition { get; private set; } = promptLength;

    /// <summary>The draft to verify, an empty one where the round is streamed; null while it is waited for.</summary>
    public Draft? Next => _next ?? (IsStreamed ? new Draft(Round, BasePosition, []) : null);

    /// <summary>There is a draft to verify.</summary>
    public bool HasNext => _next is not null || IsStreamed;

    /// <summary>The round needs no draft, and has none but perhaps an offer.</summary>
    public bool IsStreamed => (_next is null || _isOffered) && Round <= _streamedThrough;

    /// <summary>Drafts with an assumption, and offers, so far.</summary>
    public int QueuedDrafts { get; private set; }

    /// <summary>Of these, those whose assumption came true, and those that were verified; the others were dropped, or still wait.</summary>
    public int MatchedDrafts { get; private set; }

    /// <summary>Takes in a draft: as the next one, queued for the verdict it assumes, or dropped when its assumption
    /// failed.</summary>
    /// <exception cref="ProtocolException">The draft is malformed or follows no verdict.</exception>
    public void Add(Draft draft)
    {
        CheckTokens(draft);
        if (draft.Assumption is { } assumption)
        {
            AddAssuming(draft, assumption);
            return;
        }

        if (HasNext || draft.Round != Round)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                "The draft's round is wrong: a draft without an assumption follows the last verdict.",
                HasNext ? $"no draft before the verdict of round {Math.Max(Round, _streamedThrough)}" : $"round {Round}",
                $"round {draft.Round}");
        }

        CheckPosition(draft, BasePosition);
        _next = draft;
    }

    /// <summary>Rounds up to this one need no draft; what was allowed before stays allowed.</summary>
    public void Stream(int throughRound) => _streamedThrough = Math.Max(_streamedThrough, throughRound);

    /// <summary>Takes in a draft that is offered to streamed rounds.</summary>
    /// <param name="draft">The draft; its round says nothing.</param>
    /// <param name="draftLength">Most tokens of one round.</param>
    /// <exception cref="ProtocolException">It is malformed, or begins where the text is not yet; or sampling needs draft
    /// probabilities.</exception>
    public void Offer(Draft draft, int draftLength)
    {
        if (needsDraftProbs)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                "Offers cannot be decided by rejection sampling: which one is verified depends on when it comes.",
                "no offer, or shared noise",
                "an offer");
        }

        if (draft.Assumption is not null || draftLength < 1)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMessage,
                "The offer is malformed: its drafts assume nothing, and at least one token is verified in a round.",
                "no assumption, at least 1 token",
                $"{(draft.Assumption is null ? "none" : "an assumption")}, {draftLength} tokens");
        }

        CheckTokens(draft);
        if (draft.BasePosition < _promptLength || draft.BasePosition > BasePosition)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadPosition,
                "The offer starts at the wrong position: it must follow output tokens that are committed, or the prompt.",
                $"{_promptLength} to {BasePosition}",
                $"{draft.BasePosition}");
        }

        QueuedDrafts++;
        _offers.Add(draft, draftLength);
    }

    /// <summary>In a streamed round: the first offer that fits the text is its draft.</summary>
    /// <param name="text">All committed tokens.</param>
    public void TakeOffer(ReadOnlySpan<int> text)
    {
        if (_next is null && IsStreamed && _offers.Take(Round, text, out var isNew) is { } draft)
        {
            (_next, _isOffered) = (draft, true);
            MatchedDrafts += isNew ? 1 : 0;
        }
    }

    /// <summary>The round has its verdict; the queued draft that assumed it is next, the others are dropped.</summary>
    public void Decide(Verdict verdict)
    {
        _decided = new Assumption(Round, verdict.AcceptedCount, verdict.NextToken);
        BasePosition += verdict.AcceptedCount + 1;
        Round++;
        (_next, _isOffered) = (null, false);
        TakeIfDecided(_queued.Find(draft => draft.Assumption == _decided));
        _queued.Clear();
    }

    private void AddAssuming(Draft draft, Assumption assumption)
    {
        if (assumption.Round != draft.Round - 1 || assumption.Round > Round)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                "The draft's assumption is about the wrong round: it must be the round before, and at most the one "
                + "that is being verified.",
                $"round {Math.Min(draft.Round - 1, Round)}",
                $"round {assumption.Round}");
        }

        QueuedDrafts++;
        if (assumption.Round < Round)
        {
            // A streamed round does not wait for it.
            if (!IsStreamed)
            {
                TakeIfDecided(draft);
            }

            return;
        }

        CheckPosition(draft, BasePosition + (long)assumption.AcceptedCount + 1);
        Queue(draft);
    }

    private void Queue(Draft draft)
    {
        if (_queued.Count == ProtocolConstants.MaxQueuedDrafts)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                $"Too many drafts wait for the verdict of round {Round}.",
                $"at most {ProtocolConstants.MaxQueuedDrafts}",
                $"{ProtocolConstants.MaxQueuedDrafts + 1}");
        }

        _queued.Add(draft);
    }

    /// <summary>A draft that assumed the last verdict is next, unless another one is already.</summary>
    private void TakeIfDecided(Draft? draft)
    {
        if (draft is not null && _next is null && draft.Assumption == _decided)
        {
            CheckPosition(draft, BasePosition);
            MatchedDrafts++;
            _next = draft;
        }
    }

    private static void CheckPosition(Draft draft, long expected)
    {
        if (draft.BasePosition != expected)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadPosition,
                $"The draft of round {draft.Round} starts at the wrong position: it must follow all committed tokens.",
                $"{expected}",
                $"{draft.BasePosition}");
        }
    }

    private void CheckTokens(Draft draft)
    {
        if (draft.Tokens.Length > maxDraftLength)
        {
            throw new ProtocolException(
                VerificationErrorCode.DraftTooLong,
                $"The draft of round {draft.Round} is too long. Draft fewer tokens.",
                $"at most {maxDraftLength}",
                $"{draft.Tokens.Length}");
        }

        TokenRange.Check(draft.Tokens.AsSpan(), vocabSize, "draft");
        CheckDraftProbs(draft);
    }

    private void CheckDraftProbs(Draft draft)
    {
        var expected = needsDraftProbs ? draft.Tokens.Length : 0;
        if (draft.DraftProbs.Length != expected)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadDraftProbs,
                needsDraftProbs
                    ? $"The draft of round {draft.Round} lacks draft probabilities: under rejection sampling each token brings what it was drawn from."
                    : $"The draft of round {draft.Round} brings draft probabilities, but only rejection sampling at a temperature above 0 needs them.",
                $"{expected}",
                $"{draft.DraftProbs.Length}");
        }

        for (var i = 0; i < draft.DraftProbs.Length; i++)
        {
            TokenRange.Check(draft.DraftProbs[i].Tokens.AsSpan(), vocabSize, "draft probabilities");
            if (draft.DraftProbs[i].WeightOf(draft.Tokens[i]) == 0)
            {
                throw new ProtocolException(
                    VerificationErrorCode.BadDraftProbs,
                    $"Token {i} of the draft of round {draft.Round} cannot have been drawn from its draft probabilities: its weight there is 0.",
                    $"one of {draft.DraftProbs[i].Tokens.Length} tokens",
                    $"{draft.Tokens[i]}");
            }
        }
    }
}
