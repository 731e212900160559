using Forerun.Core.Decoding;
using Forerun.Core.Emulation;
using Forerun.Inference;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>One target pass after another: gathers rows, runs them, samples. One caller at a time.</summary>
internal sealed class PassRunner(
    LanguageModel target, SchedulerOptions options, TimeProvider time, ILogger logger, ExitRunner? exits = null)
    : IDisposable
{
    private readonly ForwardPass _pass = target.CreatePass(options.MaxRows, options.MaxRows);
    private readonly ForwardBatch _batch = new();
    private readonly EmulatedClock? _clock = options.Emulated is null ? null : new EmulatedClock(time);
    private readonly List<LocalVerification> _listeners = [];
    private TimeSpan _compute;
    private int _sessions;

    /// <summary>Rows of prompts in the batch.</summary>
    public int PromptRows { get; private set; }

    /// <summary>Starts a batch.</summary>
    public void Begin()
    {
        _batch.Clear();
        _listeners.Clear();
        PromptRows = 0;
        _sessions = 0;
    }

    /// <summary>Plans a session's next rows; false when none fit any more.</summary>
    public bool TryPlan(LocalVerification verification)
    {
        verification.TakeOffer();
        return verification.Session.PlanRows(
            verification.NextDraft, options.MaxPrefillRows - PromptRows, options.MaxRows - _batch.RowCount) > 0;
    }

    /// <summary>Adds a session's planned rows.</summary>
    /// <returns>The error that it ends with; null when they were added.</returns>
    public Exception? Add(LocalVerification verification)
    {
        try
        {
            PromptRows += verification.Session.AddRows(_batch);
            _sessions++;
            if (verification is { Announcer: not null, IsStreamed: false, Session.Verifies: true })
            {
                _listeners.Add(verification);
            }

            return null;
        }
        catch (Exception exception)
        {
            CloudLog.SessionFailed(logger, exception);
            return Failure(exception);
        }
    }

    /// <summary>Runs the batch.</summary>
    /// <returns>The error that its sessions end with; null when it ran.</returns>
    public Exception? Run()
    {
        CloudLog.Pass(logger, _batch.RowCount, PromptRows, _sessions);
        var started = time.GetTimestamp();
        try
        {
            _clock?.Begin();
            _pass.Begin(_batch);
            LookThroughExits();
            _pass.RunLayers(target.Config.NumHiddenLayers);
            _pass.RunHead();
            EndEmulated();
            return null;
        }
        catch (Exception exception)
        {
            CloudLog.PassFailed(logger, _batch.RowCount, exception);
            return Failure(exception);
        }
        finally
        {
            _compute = time.GetElapsedTime(started);
        }
    }

    /// <summary>Accepts a session's draft after the pass.</summary>
    public AcceptanceResult? Complete(LocalVerification verification, out Exception? error)
    {
        error = null;
        if (verification.IsClosed)
        {
            return null;
        }

        try
        {
            var started = time.GetTimestamp();
            var result = verification.Session.Complete(_pass, _compute);
            verification.Session.AddCompute(time.GetElapsedTime(started));
            return result;
        }
        catch (Exception exception)
        {
            CloudLog.SessionFailed(logger, exception);
            error = Failure(exception);
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _pass.Dispose();
        _clock?.Dispose();
    }

    private void LookThroughExits()
    {
        for (var exit = 0; _listeners.Count > 0 && exit < exits!.Layers.Length; exit++)
        {
            _pass.RunLayers(exits.Layers[exit]);
            _clock?.WaitUntil(options.Emulated!.StageEnd(exits.Layers[exit], target.Config.NumHiddenLayers));
            foreach (var verification in _listeners)
            {
                exits.Look(exit, _pass, _batch, verification);
            }

            // Where there is one core only, what writes to the network gets its turn.
            Thread.Yield();
        }
    }

    /// <summary>Emulated hardware is done later; where it would have been done sooner, the log tells.</summary>
    private void EndEmulated()
    {
        if (_clock?.End(options.Emulated!.Verification) is { Ticks: > 0 } late)
        {
            CloudLog.EmulationOverrun(
                logger, _batch.RowCount, late.TotalMilliseconds, options.Emulated!.Name, _clock.Overruns, _clock.Pieces);
        }
    }

    /// <summary>What a session sees when a pass of its model failed.</summary>
    internal static VerifierUnavailableException Failure(Exception cause) => new(
        new VerificationError(VerificationErrorCode.Internal, "The target failed; the server's log tells why."), cause);
}
