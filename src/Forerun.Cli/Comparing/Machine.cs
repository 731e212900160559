using System.Reflection;
using System.Runtime.InteropServices;
using Forerun.Cli.Running;
using Forerun.Core.Numerics;

namespace Forerun.Cli.Comparing;

/// <summary>What a measurement was made on.</summary>
/// <param name="Cpu">Name of the processor.</param>
/// <param name="Cores">Logical cores.</param>
/// <param name="InstructionSet">The engine's code path.</param>
/// <param name="System">Operating system.</param>
/// <param name="Runtime">.NET.</param>
/// <param name="Pinned">Whether server and edge had a core each.</param>
internal sealed record Machine(string Cpu, int Cores, string InstructionSet, string System, string Runtime, bool Pinned)
{
    private const string CpuInfo = "/proc/cpuinfo";

    /// <summary>The commit this program was built from; null when the build did not know.</summary>
    public static string? Commit { get; } = typeof(Machine).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, var commit]
        ? commit
        : null;

    /// <summary>This machine.</summary>
    public static Machine This() => new(
        CpuName(),
        Environment.ProcessorCount,
        InstructionSets.Best.ToString(),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        ServerProcess.HasTwoCores);

    private static string CpuName()
    {
        var line = File.Exists(CpuInfo)
            ? File.ReadLines(CpuInfo).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
