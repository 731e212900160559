using System.Runtime.InteropServices;

namespace Forerun.Inference.Execution;

/// <summary>Binds threads to cores, one worker to one core of those the process may use. Linux only.</summary>
internal sealed partial class CorePinning
{
    private const int MaskWords = 16;

    [ThreadStatic]
    private static int _pinnedTo;

    private readonly int[] _cores;

    private CorePinning(int[] cores) => _cores = cores;

    /// <summary>Cores that the calling thread could use when this was created.</summary>
    public int Count => _cores.Length;

    /// <summary>Reads which cores the process may use.</summary>
    /// <exception cref="PlatformNotSupportedException">Not Linux, or fewer cores than workers.</exception>
    public static unsafe CorePinning Create(int workers)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException(
                "Pinning worker threads needs Linux. Run without pinning, or bind the process with the system's own tool.");
        }

        var mask = stackalloc ulong[MaskWords];
        var cores = new List<int>();
        if (GetAffinity(0, MaskWords * 8, mask) >= 0)
        {
            for (var core = 0; core < MaskWords * 64; core++)
            {
                if ((mask[core / 64] >> (core % 64) & 1) == 1)
                {
                    cores.Add(core);
                }
            }
        }

        return cores.Count >= workers
            ? new CorePinning([.. cores])
            : throw new PlatformNotSupportedException(
                $"Pinning {workers} worker threads needs {workers} cores; this process may use {cores.Count}. Use fewer threads.");
    }

    /// <summary>Binds the calling thread to the core of <paramref name="worker"/>.</summary>
    public void Apply(int worker)
    {
        var core = _cores[worker];
        if (_pinnedTo != core + 1 && Bind(0, core))
        {
            _pinnedTo = core + 1;
        }
    }

    /// <summary>Binds a thread (0 = the calling one) to a core.</summary>
    /// <returns>False where the system refuses.</returns>
    public static unsafe bool Bind(int thread, int core)
    {
        if (core is < 0 or >= MaskWords * 64)
        {
            return false;
        }

        var mask = stackalloc ulong[MaskWords];
        new Span<ulong>(mask, MaskWords).Clear();
        mask[core / 64] = 1UL << (core % 64);
        return SetAffinity(thread, MaskWords * 8, mask) == 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static unsafe partial int GetAffinity(int thread, nuint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static unsafe partial int SetAffinity(int thread, nuint bytes, ulong* mask);
}
