using System.Collections.Immutable;
using Forerun.Cli.Running;
using Forerun.Edge.Links;

namespace Forerun.Cli.Comparing;

/// <summary>Result of <c>forerun compare</c>.</summary>
/// <param name="Equal">Whether every text equals the autoregressive one; null where some texts depend on who drafts, and those that
/// do not are equal.</param>
/// <param name="Difference">The first text that does not; then no figures follow.</param>
/// <param name="Settings">What was compared, and where.</param>
/// <param name="Modes">The figures, a row for every mode, link, prompt file and set of options.</param>
internal sealed record CompareReport(
    bool? Equal, Difference? Difference, CompareSettings Settings, ImmutableArray<CompareRow> Modes)
{
    /// <summary>Hardware whose times are emulated; null = the times are the machine's.</summary>
    public string? Emulated => Settings.Emulated;

    /// <summary>For people: what equality was checked, and what was not.</summary>
    public string DescribeEquality()
    {
        if (Difference is { } difference)
        {
            return difference.Describe();
        }

        var (dependent, all) = (Settings.Temperatures.Where(Settings.DependsOnDrafts).ToArray(), Settings.Temperatures.Length);
        var equal = "equals the autoregressive one, token for token.";
        return dependent.Length == 0
            ? $"Every text {equal}"
            : (dependent.Length == all ? "" : $"Every greedy text {equal} ")
                + "The other texts were drawn by rejection sampling: they have the target's distribution, but depend on who drafts and how "
                + "much, so their equality cannot be and was not checked.";
    }

    /// <summary>For people: what is emulated, and where this machine was too slow for it; null where nothing is.</summary>
    public string? DescribeEmulation() => Emulated is null
        ? null
        : $"Emulated {Emulated} ({Settings.EmulatedTimes}): models, exits, protocol and hits are real, the times are the profile's"
            + (Modes.IsEmpty ? "." : $"; {Modes.Select(row => row.Overruns!).Aggregate((sum, row) => sum + row).Describe()}.");

    /// <summary>The report of texts that are all equal, as far as they must be.</summary>
    /// <param name="settings">What was compared.</param>
    /// <param name="plan">All cells.</param>
    /// <param name="links">The links.</param>
    /// <param name="store">The finished cells.</param>
    public static CompareReport Of(
        CompareSettings settings, ComparePlan plan, ImmutableArray<LinkProfile> links, CellStore store)
    {
        ImmutableArray<CompareRow> rows =
        [
            .. from link in links
               from planned in plan.Over(link)
               let cell = store.Find(planned.Key)
               where cell is not null
               group cell by (Row: cell.Key.Row(), HasRoundTrip: link.RoundTripTime > TimeSpan.Zero) into row
               select new CompareRow(
                   row.Key.Row,
                   [.. row.Select(cell => cell.Generation)],
                   [.. row.Select(cell => store.Find(cell.Key.Baseline())!.Generation)],
                   settings.DependsOnDrafts(row.Key.Row.Temperature))
               {
                   Speculative = [.. row.Select(cell => store.Find(cell.Key.Speculative())?.Generation).OfType<GenerationReport>()],
                   HasRoundTrip = row.Key.HasRoundTrip,
               },
        ];
        return new(
            settings.Temperatures.Any(settings.DependsOnDrafts) ? null : true, null, settings, [.. rows.Select(row => row.Beside(rows))]);
    }
}
