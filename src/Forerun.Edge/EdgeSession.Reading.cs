using Forerun.Core.Decoding;
using Forerun.Edge.PreDrafting;
using Forerun.Protocol;

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
                case Verdict verdict when DraftLength(draft, verdict) > ProtocolConstants.MaxDraftLength:
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        $"The server verified more tokens than a draft may have in round {draft.Round}.",
                        $"at most {ProtocolConstants.MaxDraftLength}",
                        $"{DraftLength(draft, verdict)}");
                case Verdict verdict when verdict.AcceptedCount > DraftLength(draft, verdict):
                    throw new ProtocolException(
                        VerificationErrorCode.BadMessage,
                        $"The server accepted more tokens than were drafted in round {draft.Round}.",
                        $"at most {DraftLength(draft, verdict)}",
                        $"{verdict.AcceptedCount}");
                case Verdict verdict when IsServersDraft && verdict.AcceptedTokens.Length != verdict.AcceptedCount:
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

    /// <summary>Waits for the next event, and drafts ahead, for offers or to rehearse, as long as it has not come.</summary>
    private async ValueTask<VerificationEvent> PreDraftUntilNextAsync(CancellationToken cancellationToken)
    {
        var next = new PendingEvent(_verification.ReadAsync(cancellationToken));
        if (DraftsAhead)
        {
            Func<bool> isUrgent = () => next.IsUrgent;
            do
            {
                await _verification.SendAllAsync(_preDrafter!.TakeReady(), cancellationToken).ConfigureAwait(false);
            }
            while (await RunAheadAsync(() => DraftAhead(next, () => _preDrafter.Step(isUrgent), () => _preDrafter.IsReady)).ConfigureAwait(false));
        }
        else if (IsOffering)
        {
            do
            {
                await _verification.OfferAsync(_offers!.TakeReady(_round), _choice.DraftLength, cancellationToken).ConfigureAwait(false);
            }
            while (await RunAheadAsync(() => DraftAhead(next, _offers.Step, () => _offers.IsReady)).ConfigureAwait(false));
        }
        else if (IsRehearsing)
        {
            await RunAheadAsync(() => Rehearse(next)).ConfigureAwait(false);
        }

        return await next.TakeAsync().ConfigureAwait(false);
    }

    /// <summary>Runs work that nobody waits for yet on a thread that gives way, or right here where that would hardly get on.
    /// </summary>
    private async ValueTask<T> RunAheadAsync<T>(Func<T> work)
    {
        if (_room.IsCrowded)
        {
            return work();
        }

        var asked = _time.GetTimestamp();
        _idle ??= new IdleThread();
        return await _idle.RunAsync(() =>
        {
            _room.Start(asked);
            return work();
        }).ConfigureAwait(false);
    }

    /// <summary>Drafts ahead until there is something to send, or the event has come, or nothing is left to draft.</summary>
    /// <param name="next">The event.</param>
    /// <param name="step">Drafts a little; false = nothing is left.</param>
    /// <param name="isReady">Whether there is something to send.</param>
    /// <returns>Whether there is something to send.</returns>
    private bool DraftAhead(PendingEvent next, Func<bool> step, Func<bool> isReady)
    {
        while (!next.HasCome)
        {
            var begun = _time.GetTimestamp();
            if (!step())
            {
                break;
            }

            _room.EndStep(begun);
            if (isReady())
            {
                return true;
            }

            // On the caller's thread nothing else gives way.
            Thread.Yield();
        }

        return false;
    }

    /// <summary>Drafts beside the stream until the event has come or the draft is complete.</summary>
    private bool Rehearse(PendingEvent next)
    {
        while (!next.HasCome && _rehearsal!.Step(_trunk))
        {
        }

        return _trunk.IsComplete;
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
