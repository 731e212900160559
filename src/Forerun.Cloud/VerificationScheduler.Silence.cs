using Forerun.Core.Decoding;

namespace Forerun.Cloud;

/// <content>Ends sessions whose edge says nothing: it is connected, but it will not come back.</content>
public sealed partial class VerificationScheduler
{
    // A session is ended at the first look after it was silent for so many, between the limit and a quarter more.
    private const int SilentLooks = 4;

    private readonly ITimer _silence;

    /// <summary>The edge gave a sign of life.</summary>
    internal void Hear(LocalVerification verification)
    {
        lock (_gate)
        {
            verification.SilentLooks = 0;
        }
    }

    private ITimer WatchSilence()
    {
        var period = _options.IdleLimit == Timeout.InfiniteTimeSpan ? Timeout.InfiniteTimeSpan : _options.IdleLimit / SilentLooks;
        return _time.CreateTimer(static state => ((VerificationScheduler)state!).EndSilent(), this, period, period);
    }

    private void EndSilent()
    {
        lock (_gate)
        {
            foreach (var verification in _sessions.Where(WaitsForEdge).ToArray())
            {
                if (verification.SilentLooks++ == SilentLooks)
                {
                    Close(verification, Silent());
                }
            }
        }
    }

    private static bool WaitsForEdge(LocalVerification verification) =>
        !verification.IsReady && !verification.IsRunning && !verification.IsClosed;

    private VerifierUnavailableException Silent() => new(new VerificationError(
        VerificationErrorCode.SessionLost,
        "The edge was silent for too long; the server ended the session. Open a new one with the whole history as its prompt.",
        $"a draft or a keep-alive within {_options.IdleLimit.TotalSeconds} s",
        "none"));
}
