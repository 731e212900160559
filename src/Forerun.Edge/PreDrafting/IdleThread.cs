using System.Runtime.InteropServices;

namespace Forerun.Edge.PreDrafting;

/// <summary>A thread for work that may wait: on its core everything else goes first, so that what reads the network need not
/// wait for a draft step to end. One piece of work at a time. Disposing ends the thread; no work may be running.</summary>
/// <remarks>On Linux its policy is SCHED_IDLE: a thread that wakes up takes the core from it at once, where among threads of
/// one priority it may wait for some milliseconds. Elsewhere it has the lowest priority.</remarks>
internal sealed partial class IdleThread : IDisposable
{
    private const int IdlePolicy = 5;

    private readonly SemaphoreSlim _given = new(0);
    private Action? _work;

    /// <summary>Starts the thread.</summary>
    public IdleThread()
    {
        var thread = new Thread(Loop) { IsBackground = true, Name = "forerun ahead" };
        thread.Priority = ThreadPriority.Lowest;
        thread.Start();
    }

    /// <summary>Runs work there; what it throws is thrown here.</summary>
    public Task<T> RunAsync<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _work = () =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        };
        _given.Release();
        return done.Task;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _work = null;
        _given.Release();
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetPolicy(int thread, int policy, in int priority);

    private void Loop()
    {
        if (OperatingSystem.IsLinux())
        {
            // Where the system refuses, the thread is like any other: slower, and right.
            _ = SetPolicy(0, IdlePolicy, 0);
        }

        while (true)
        {
            _given.Wait();
            if (_work is not { } work)
            {
                _given.Dispose();
                return;
            }

            work();
        }
    }
}
