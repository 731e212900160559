using Forerun.Core.Decoding;

namespace Forerun.Edge;

/// <content>What comes from the target, checked; while it is waited for, the edge drafts ahead.</content>
internal sealed partial class EdgeSession
{
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
            else if (!StepAhead())
            {
                break;
            }

            // On a device with one core, what reads the network gets its turn.
            Thread.Yield();
        }

        return await reading.ConfigureAwait(false);
    }

    /// <summary>Drafts one token ahead, or beside the stream; false when there is nothing to draft.</summary>
    private bool StepAhead() =>
        DraftsAhead ? _preDrafter!.Step() : IsStreaming && _rehearsal is not null && _rehearsal.Step(_trunk);

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
