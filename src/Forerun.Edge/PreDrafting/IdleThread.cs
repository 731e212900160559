using Forerun.Inference.Execution;

namespace Forerun.Edge.PreDrafting;

/// <summary>A thread for work that may wait: on its core everything else goes first, so that what reads the network need not
/// wait for a draft step to end. One piece of work at a time. Disposing ends the thread; no work may be running.</summary>
/// <remarks>On Linux by <see cref="IdlePolicy"/>; elsewhere it has the lowest priority.</remarks>
internal sealed class IdleThread : IDisposable
{
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

    private void Loop()
    {
        // Where it is refused, all is slower, and right.
        _ = IdlePolicy.TryTake();
        while (true)
        {
            _given.Wait();
            if (_work is not { } work)
            {
                return;
            }

            work();
        }
    }
}
