using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>Which cores this process may use.</summary>
public static class ProcessCores
{
    /// <summary>How many cores this process may use now.</summary>
    public static int Count
    {
        get
        {
            if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
            {
                return Environment.ProcessorCount;
            }

            using var process = Process.GetCurrentProcess();
            return Math.Max(1, BitOperations.PopCount((nuint)process.ProcessorAffinity));
        }
    }

    /// <summary>Binds every thread of this process, and those they will start, to one core. Linux only.</summary>
    /// <param name="core">Index of the core, from 0.</param>
    /// <exception cref="PlatformNotSupportedException">Not Linux.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such core.</exception>
    public static void Restrict(int core)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("Binding the process to a core needs Linux. Leave the option out.");
        }

        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            if (!CorePinning.Bind(int.Parse(Path.GetFileName(thread), CultureInfo.InvariantCulture), core))
            {
                throw new ArgumentOutOfRangeException(nameof(core), core, $"This process cannot be bound to core {core}.");
            }
        }
    }
}
