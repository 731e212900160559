using System.Runtime.InteropServices;

namespace Forerun.Cli.Chatting;

/// <summary>Ctrl+C: the first one stops the running answer; another, or one while nothing runs, ends the program as the
/// system does. Thread-safe.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly object _gate = new();
    private readonly PosixSignalRegistration _registration;
    private CancellationTokenSource? _answer;

    public Interruption() => _registration = PosixSignalRegistration.Create(
        PosixSignal.SIGINT, signal => signal.Cancel = TryStop());

    /// <summary>Runs an answer; the token is cancelled by Ctrl+C.</summary>
    public async Task RunAsync(Func<CancellationToken, Task> answer)
    {
        using var stop = new CancellationTokenSource();
        Set(stop);
        try
        {
            await answer(stop.Token);
        }
        finally
        {
            Set(null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _registration.Dispose();

    /// <summary>Stops the running answer; false when none runs or it is being stopped.</summary>
    internal bool TryStop()
    {
        lock (_gate)
        {
            if (_answer is null or { IsCancellationRequested: true })
            {
                return false;
            }

            // Not on this thread: what hears of it may take its time.
            _ = _answer.CancelAsync();
            return true;
        }
    }

    private void Set(CancellationTokenSource? answer)
    {
        lock (_gate)
        {
            _answer = answer;
        }
    }
}
