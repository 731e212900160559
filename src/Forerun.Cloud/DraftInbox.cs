using Forerun.Core.Decoding;

namespace Forerun.Cloud;

/// <summary>Decides which draft is verified next: the one that follows the last verdict, or a held one whose assumption
/// came true. Not thread-safe.</summary>
/// <param name="promptLength">Prompt tokens: the base position of the first round.</param>
/// <param name="vocabSize">Token ids are 0 … vocabSize - 1.</param>
/// <param name="maxDraftLength">Most tokens of one draft.</param>
internal sealed class DraftInbox(int promptLength, int vocabSize, int maxDraftLength)
{
    private const int MaxHeld = 16;

    private readonly List<Draft> _held = [];
    private Verdict? _last;

    /// <summary>The round that is being verified or waited for, from 1.</summary>
    public int Round { get; private set; } = 1;

    /// <summary>Absolute position of that round's first draft token.</summary>
    public int BasePosition { get; private set; } = promptLength;

    /// <summary>The draft to verify; null while it is waited for.</summary>
    public Draft? Next { get; private set; }

    /// <summary>Takes in a draft: as the next one, held for a later verdict, or dropped when its assumption failed.
    /// </summary>
    /// <exception cref="ProtocolException">The draft is malformed or follows no verdict.</exception>
    public void Add(Draft draft)
    {
        CheckTokens(draft);
        if (draft.Assumption is { } assumption)
        {
            AddAssuming(draft, assumption);
            return;
        }

        if (Next is not null || draft.Round != Round)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                "The draft's round is wrong: a draft without an assumption follows the last verdict.",
                Next is null ? $"round {Round}" : $"no draft before the verdict of round {Round}",
                $"round {draft.Round}");
        }

        if (draft.BasePosition != BasePosition)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadPosition,
                $"The draft of round {Round} starts at the wrong position: it must follow all committed tokens.",
                $"{BasePosition}",
                $"{draft.BasePosition}");
        }

        Next = draft;
    }

    /// <summary>The round has its verdict; a held draft that assumed it is next.</summary>
    public void Decide(Verdict verdict)
    {
        _last = verdict;
        BasePosition += verdict.AcceptedCount + 1;
        Round++;
        Next = _held.Find(Follows);
        _held.RemoveAll(draft => draft.Assumption!.Value.Round <= verdict.Round);
    }

    private void AddAssuming(Draft draft, Assumption assumption)
    {
        if (assumption.Round != draft.Round - 1)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                "The draft's assumption is about the wrong round: it must be the round before.",
                $"round {draft.Round - 1}",
                $"round {assumption.Round}");
        }

        if (assumption.Round >= Round)
        {
            Hold(draft);
        }
        else if (Next is null && Follows(draft))
        {
            Next = draft;
        }
    }

    private void Hold(Draft draft)
    {
        if (_held.Count == MaxHeld)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadRound,
                $"Too many drafts wait for the verdict of round {Round}.",
                $"at most {MaxHeld}",
                $"{MaxHeld + 1}");
        }

        _held.Add(draft);
    }

    private bool Follows(Draft draft) =>
        draft.Round == Round
        && draft.BasePosition == BasePosition
        && draft.Assumption == new Assumption(Round - 1, _last?.AcceptedCount ?? 0, _last?.NextToken ?? 0);

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
    }
}
