using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>Keeps the cores that this process may use from halting for as long as an instance lives: a virtual machine's core
/// that has halted wakes late. On each of them a thread spins that everything else goes before; all instances share these, and
/// they end with the last one. Costs busy cores. Linux only. Thread-safe.</summary>
public sealed class AwakeCores : IDisposable
{
    /// <summary>What the system calls the threads.</summary>
    internal const string ThreadName = "forerun awake";

    /// <summary>From 1024 on a spin is spent in native code, where a garbage collection need not wait for a thread that does not
    /// get its core back soon.</summary>
    private const int SpinIterations = 1024;

    private static readonly object Gate = new();
    private static CorePinning? _cores;
    private static CancellationTokenSource? _ending;
    private static int _instances;

    private bool _isDisposed;

    /// <summary>Keeps them awake from now on.</summary>
    /// <exception cref="PlatformNotSupportedException">Not Linux.</exception>
    public AwakeCores()
    {
        ThrowIfUnsupported();
        lock (Gate)
        {
            if (_instances++ == 0)
            {
                Start();
            }
        }
    }

    /// <summary>Refuses where there is no such policy.</summary>
    /// <exception cref="PlatformNotSupportedException">Not Linux.</exception>
    public static void ThrowIfUnsupported()
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Keeping cores awake needs Linux. Leave the option out.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate)
        {
            if (!_isDisposed && --_instances == 0)
            {
                _ending!.Cancel();
                _ending.Dispose();
            }

            _isDisposed = true;
        }
    }

    private static void Start()
    {
        // Read once, before a worker that is bound to its core may be the one who asks.
        _cores ??= CorePinning.Create(workers: 1);
        _ending = new CancellationTokenSource();
        var ended = _ending.Token;
        for (var core = 0; core < _cores.Count; core++)
        {
            var own = core;
            new Thread(() => Spin(own, ended)) { IsBackground = true, Name = ThreadName }.Start();
        }
    }

    private static void Spin(int core, CancellationToken ended)
    {
        if (!IdlePolicy.TryTake())
        {
            return;
        }

        _cores!.Apply(core);
        while (!ended.IsCancellationRequested)
        {
            Thread.SpinWait(SpinIterations);

            // Others with this policy, such as drafting ahead, would have to share the core.
            Thread.Yield();
        }
    }
}
