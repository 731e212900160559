using System.Runtime.InteropServices;

namespace Forerun.Inference.Execution;

/// <summary>The policy of threads that everything else goes before: a thread that wakes up takes the core from one of them at
/// once, where among threads of one priority it may wait for some milliseconds. Linux only.</summary>
public static partial class IdlePolicy
{
    private const int SchedIdle = 5;

    /// <summary>Gives the calling thread the policy SCHED_IDLE.</summary>
    /// <returns>False where the system has none or refuses: the thread is like any other.</returns>
    public static bool TryTake() => OperatingSystem.IsLinux() && SetPolicy(0, SchedIdle, 0) == 0;

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetPolicy(int thread, int policy, in int priority);
}
