using System.Collections.Immutable;
using Forerun.Edge.Links;

namespace Forerun.Cli.Comparing;

/// <summary>Result of <c>forerun compare</c>.</summary>
/// <param name="Equal">Whether every text equals the autoregressive one.</param>
/// <param name="Difference">The first text that does not; then no figures follow.</param>
/// <param name="Settings">What was compared, and where.</param>
/// <param name="Modes">The figures, a row for every mode, link, prompt file and set of options.</param>
internal sealed record CompareReport(
    bool Equal, Difference? Difference, CompareSettings Settings, ImmutableArray<CompareRow> Modes)
{
    /// <summary>Hardware whose times are emulated; null = the times are the machine's.</summary>
    public string? Emulated => Settings.Emulated;

    /// <summary>For people: what is emulated, and where this machine was too slow for it; null where nothing is.</summary>
    public string? DescribeEmulation() => Emulated is null
        ? null
        : $"Emulated {Emulated} ({Settings.EmulatedTimes}): models, exits, protocol and hits are real, the times are the profile's"
            + (Modes.IsEmpty ? "." : $"; {Modes.Select(row => row.Overruns!).Aggregate((sum, row) => sum + row).Describe()}.");

    /// <summary>The report of texts that are all equal.</summary>
    /// <param name="settings">What was compared.</param>
    /// <param name="plan">All cells.</param>
    /// <param name="links">The links.</param>
    /// <param name="store">The finished cells.</param>
    public static CompareReport Of(
        CompareSettings settings, ComparePlan plan, ImmutableArray<LinkProfile> links, CellStore store) => new(
        true,
        null,
        settings,
        [
            .. from link in links
               from planned in plan.Over(link)
               let cell = store.Find(planned.Key)
               where cell is not null
               group cell by cell.Key.Row() into row
               select new CompareRow(
                   row.Key,
                   [.. row.Select(cell => cell.Generation)],
                   [.. row.Select(cell => store.Find(cell.Key.Baseline())!.Generation)]),
        ]);
}
