namespace Forerun.Cloud;

/// <content>Mode colocated: before a pass, all its sessions that have no draft get one.</content>
public sealed partial class VerificationScheduler
{
    private readonly List<LocalVerification> _drafting = [];

    private void Draft()
    {
        if (_drafts is null || !BeginDrafts())
        {
            return;
        }

        var error = _drafts.Run(_drafting);
        lock (_gate)
        {
            foreach (var verification in _drafting)
            {
                verification.IsRunning = false;
                if (verification.IsClosed || error is not null)
                {
                    Close(verification, error, keep: error is null);
                }
                else if (verification.Drafting!.IsComplete)
                {
                    verification.AddOwnDraft();
                }
            }
        }
    }

    private bool BeginDrafts()
    {
        _drafting.Clear();
        lock (_gate)
        {
            var bytes = 0L;
            foreach (var verification in _ready)
            {
                if (verification.Drafting is { } drafting && !verification.HasDraft)
                {
                    drafting.Begin(verification.Session);
                    verification.IsRunning = true;
                    _drafting.Add(verification);
                    if (MakeRoom(verification, session => bytes + session.Drafting!.BytesToDraft(session.Session)))
                    {
                        bytes += drafting.BytesToDraft(verification.Session);
                    }
                    else
                    {
                        // Drafting is worth nobody's wait: the target decodes without a draft.
                        drafting.GiveUp();
                    }
                }
            }
        }

        return _drafting.Count > 0;
    }
}
