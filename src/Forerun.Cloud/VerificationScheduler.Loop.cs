namespace Forerun.Cloud;

/// <content>The target's thread: gathers ready sessions, runs the pass, gives the verdicts.</content>
public sealed partial class VerificationScheduler
{
    private void Run()
    {
        var running = new List<LocalVerification>();
        while (TakeBatch(running))
        {
            var error = running.Count == 0 ? null : _runner.Run();
            foreach (var verification in running)
            {
                Finish(verification, error);
            }
        }
    }

    /// <summary>Waits for work and gathers the next batch, oldest first; false when stopped.</summary>
    private bool TakeBatch(List<LocalVerification> running)
    {
        running.Clear();
        lock (_gate)
        {
            while (_ready.Count == 0 && !_isStopped)
            {
                Monitor.Wait(_gate);
            }

            FillBatch(running);
            return !_isStopped;
        }
    }

    private void FillBatch(List<LocalVerification> running)
    {
        _runner.Begin();
        while (_ready.Count > 0)
        {
            var verification = _ready[0];
            if (_runner.TryAdd(verification, out var error))
            {
                _ready.RemoveAt(0);
                verification.IsReady = false;
                verification.IsRunning = true;
                verification.Queued += _time.GetElapsedTime(verification.ReadySince);
                running.Add(verification);
            }
            else if (error is not null)
            {
                Close(verification, error);
            }
            else
            {
                return;
            }
        }
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
                Close(verification, error);
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
            verification.ReadySince = _time.GetTimestamp();
            _ready.Add(verification);
            Monitor.Pulse(_gate);
        }
    }

    private void Close(LocalVerification verification, Exception? error)
    {
        verification.Close(error);
        if (verification.IsReady)
        {
            verification.IsReady = false;
            _ready.Remove(verification);
        }

        if (!verification.IsRunning)
        {
            Release(verification);
        }
    }

    private void Release(LocalVerification verification)
    {
        if (_sessions.Remove(verification))
        {
            verification.Session.Dispose();
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
