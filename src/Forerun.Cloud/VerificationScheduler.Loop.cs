namespace Forerun.Cloud;

/// <content>The target's thread: gathers ready sessions, runs the pass, gives the verdicts.</content>
public sealed partial class VerificationScheduler
{
    private void Run()
    {
        var running = new List<LocalVerification>();
        while (WaitForWork())
        {
            Draft();
            TakeBatch(running);
            var error = running.Count == 0 ? null : _runner.Run();
            foreach (var verification in running)
            {
                Finish(verification, error);
            }

            // Where there is one core only, what writes the verdicts gets its turn before the next pass.
            Thread.Yield();
        }
    }

    /// <summary>Waits until a session is ready, and makes use of the time as long as there are loops to compile; false when stopped.
    /// </summary>
    private bool WaitForWork()
    {
        while (HasTime() && _loops.MoveNext())
        {
        }

        lock (_gate)
        {
            while (_ready.Count == 0 && !_isStopped)
            {
                Monitor.Wait(_gate);
            }

            return !_isStopped;
        }
    }

    private bool HasTime()
    {
        lock (_gate)
        {
            return _ready.Count == 0 && !_isStopped;
        }
    }

    /// <summary>Gathers the next batch: verifications first, then prompts, each oldest first. Prompts that one pass had no
    /// rows for come first in the next.</summary>
    private void TakeBatch(List<LocalVerification> running)
    {
        running.Clear();
        lock (_gate)
        {
            _runner.Begin();
            _passes++;
            AdoptPrefixes();
            TakeBlocked(running);
            if (_promptsFirst)
            {
                Take(running, static session => session.PrefillRows > 0);
            }

            Take(running, static session => session.PrefillRows == 0);
            Take(running, static session => session.PrefillRows > 0);
            _promptsFirst = _runner.PromptRows == 0
                && _ready.Exists(static verification => verification.Session.PrefillRows > 0);
        }
    }

    /// <summary>The oldest generation, if it waits for memory, gets it from whoever else waits; it ends where all of the
    /// memory is too little.</summary>
    private void TakeBlocked(List<LocalVerification> running)
    {
        if (_ready.Exists(static verification => verification.WaitsForMemory)
            && _ready.MinBy(static verification => verification.Number) is { WaitsForMemory: true } oldest
            && _runner.TryPlan(oldest)
            && !TryTake(oldest, running, force: true))
        {
            Close(oldest, TooLittleMemory(oldest.Session.CommittedLength));
        }
    }

    private void Take(List<LocalVerification> running, Predicate<TargetSession> which)
    {
        for (var i = 0; i < _ready.Count;)
        {
            var verification = _ready[i];
            if (!which(verification.Session) || (verification.Session.PrefillRows == 0 && !verification.HasDraft))
            {
                i++;
            }
            else if (!_runner.TryPlan(verification))
            {
                return;
            }
            else if (!TryTake(verification, running))
            {
                i++;
            }
        }
    }

    /// <summary>Moves a session from the ready ones into the batch, or ends it with its error; false when it has to wait for
    /// memory.</summary>
    private bool TryTake(LocalVerification verification, List<LocalVerification> running, bool force = false)
    {
        verification.WaitsForMemory = !MakeRoom(verification, static session => session.Session.BytesToAdd, force);
        if (verification.WaitsForMemory)
        {
            return false;
        }

        if (_runner.Add(verification) is { } error)
        {
            Close(verification, error, keep: false);
            return true;
        }

        _ready.Remove(verification);
        verification.IsReady = false;
        verification.IsRunning = true;
        verification.LastUsed = _passes;
        verification.Queued += _time.GetElapsedTime(verification.ReadySince);
        running.Add(verification);
        return true;
    }

    /// <summary>After a pass: gives the verdict, and queues what the session still has.</summary>
    private void Finish(LocalVerification verification, Exception? error)
    {
        var result = error is null ? _runner.Complete(verification, out error) : null;
        lock (_gate)
        {
            verification.IsRunning = false;
            if (verification.IsClosed || error is not null)
            {
                Close(verification, error, keep: error is null);
                return;
            }

            if (result is { } acceptance)
            {
                verification.Decide(acceptance);
            }

            if (verification.IsClosed)
            {
                Release(verification);
            }
            else if (_isLeaving && (result is not null || verification.NextDraft is null))
            {
                Close(verification, Leaving());
            }
            else
            {
                Enqueue(verification);
            }
        }
    }

    private void Enqueue(LocalVerification verification)
    {
        if (!verification.IsReady && !verification.IsRunning && verification.HasWork)
        {
            verification.IsReady = true;
            verification.SilentLooks = 0;
            verification.ReadySince = _time.GetTimestamp();
            _ready.Add(verification);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends a session; a running pass is its last.</summary>
    /// <param name="verification">The session.</param>
    /// <param name="error">What its reader sees.</param>
    /// <param name="keep">Its cache may serve others: no pass failed.</param>
    private void Close(LocalVerification verification, Exception? error, bool keep = true)
    {
        verification.Close(error);
        if (verification.IsReady)
        {
            verification.IsReady = false;
            _ready.Remove(verification);
        }

        if (!verification.IsRunning)
        {
            Release(verification, keep);
        }
    }

    private void Release(LocalVerification verification, bool keep = true)
    {
        if (_sessions.Remove(verification))
        {
            if (keep && _options.ReusePrefixes && !verification.Session.CachedTokens.IsEmpty)
            {
                verification.Session.KeepIn(_kept);
            }

            verification.Session.Dispose();
            verification.Drafting?.Dispose();
            verification.Awake?.Dispose();
            verification.Released.TrySetResult();
            SignalIfEmpty();
        }
    }

    private void SignalIfEmpty()
    {
        if (_sessions.Count == 0)
        {
            _empty?.TrySetResult();
        }
    }
}
