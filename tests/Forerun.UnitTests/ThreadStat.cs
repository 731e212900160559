using System.Globalization;

namespace Forerun.UnitTests;

/// <summary>What Linux tells of a thread.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Policy">Its scheduling policy.</param>
internal sealed record ThreadStat(string Name, int Policy)
{
    /// <summary>The policy of threads that everything else goes before.</summary>
    public const int SchedIdle = 5;

    /// <summary>Reads it; null where the thread has ended.</summary>
    /// <param name="folder">Folder below /proc.</param>
    public static ThreadStat? Read(string folder)
    {
        try
        {
            // The second field is the name in brackets, which may hold spaces; the policy is the 41st.
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            var (start, end) = (stat.IndexOf('(', StringComparison.Ordinal) + 1, stat.LastIndexOf(')'));
            return new ThreadStat(
                stat[start..end], int.Parse(stat[(end + 2)..].Split(' ')[41 - 3], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
