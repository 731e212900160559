using System.Runtime.ExceptionServices;

namespace Forerun.Inference.Execution;

/// <summary>A fixed team of threads that run one piece of work together and meet at barriers. The caller is worker 0.
/// One caller at a time; others wait for their turn.</summary>
/// <remarks>Workers spin for a moment after a run, so that the runs of a pass and of the next token start within a
/// microsecond, and then sleep: an idle model burns no core.</remarks>
internal sealed class WorkerPool : IDisposable
{
    private const int SpinsBeforeSleep = 2_000;
    private const int SpinsBeforeYield = 5_000;

    private readonly Lock _turn = new();
    private readonly Worker[] _workers;
    private readonly CorePinning? _pinning;
    private PaddedCounter _epoch;
    private PaddedCounter _finished;
    private PaddedCounter _arrived;
    private PaddedCounter _phase;
    private Action<int>? _work;
    private volatile ExceptionDispatchInfo? _failure;
    private bool _stopping;

    /// <summary>Starts <paramref name="count"/> - 1 threads.</summary>
    /// <param name="count">Workers, the caller included.</param>
    /// <param name="pin">Binds worker i to the i-th core this process may use (Linux); the caller while it runs.</param>
    public WorkerPool(int count, bool pin = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _pinning = pin ? CorePinning.Create(count) : null;
        _workers = new Worker[count];
        for (var i = 1; i < count; i++)
        {
            var index = i;
            _workers[i] = new Worker();
            new Thread(() => Loop(index)) { IsBackground = true, Name = $"forerun worker {i}" }.Start();
        }
    }

    /// <summary>Number of workers, the caller included.</summary>
    public int Count { get; }

    /// <summary>Runs <paramref name="work"/> once per worker, with the worker's index, and waits for all. An exception of
    /// any worker is thrown here afterwards; work that meets at barriers must not throw.</summary>
    public void Run(Action<int> work)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            _pinning?.Apply(0);
            if (Count == 1)
            {
                work(0);
                return;
            }

            _failure = null;
            _work = work;
            _finished.Value = 0;
            _arrived.Value = 0;
            _phase.Value = 0;
            Interlocked.Increment(ref _epoch.Value);
            for (var i = 1; i < Count; i++)
            {
                _workers[i].Wake();
            }

            Do(work, 0);
            WaitUntil(ref _finished, Count - 1);
            _failure?.Throw();
        }
    }

    /// <summary>Waits until every worker of the current run has come to this barrier.</summary>
    /// <param name="passed">The worker's own count of barriers passed in this run; increased.</param>
    public void Barrier(ref int passed)
    {
        if (Count == 1)
        {
            return;
        }

        passed++;
        if (Interlocked.Increment(ref _arrived.Value) == Count * passed)
        {
            Volatile.Write(ref _phase.Value, passed);
        }
        else
        {
            WaitUntil(ref _phase, passed);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_turn)
        {
            if (_stopping)
            {
                return;
            }

            _stopping = true;
            Interlocked.Increment(ref _epoch.Value);
            for (var i = 1; i < Count; i++)
            {
                _workers[i].Wake();
            }
        }
    }

    private static void WaitUntil(ref PaddedCounter counter, int value)
    {
        for (var spins = 0; Volatile.Read(ref counter.Value) < value; spins++)
        {
            if (spins < SpinsBeforeYield)
            {
                Thread.SpinWait(1);
            }
            else
            {
                Thread.Yield();
            }
        }
    }

    private void Loop(int index)
    {
        _pinning?.Apply(index);
        for (var seen = 0; ; seen++)
        {
            _workers[index].WaitForChange(ref _epoch, seen, SpinsBeforeSleep);
            if (_stopping)
            {
                _workers[index].Dispose();
                return;
            }

            Do(_work!, index);
            Interlocked.Increment(ref _finished.Value);
        }
    }

    private void Do(Action<int> work, int worker)
    {
        try
        {
            work(worker);
        }
        catch (Exception exception)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
        }
    }
}
