using System.Globalization;
using Forerun.Inference.Execution;

namespace Forerun.Inference;

/// <summary>Which cores this process may use. Linux only.</summary>
public static class ProcessCores
{
    /// <summary>Binds every thread of this process, and those they will start, to one core.</summary>
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
