using System.Text;
using Forerun.Cli.Running;

namespace Forerun.Cli.Comparing;

/// <summary>The report as Markdown.</summary>
internal static class CompareMarkdown
{
    /// <summary>The whole document.</summary>
    public static string Of(CompareReport report)
    {
        var text = new StringBuilder("# Comparison of decoding modes\n\n");
        foreach (var line in Setting(report.Settings))
        {
            text.Append("- ").Append(line).Append('\n');
        }

        if (report.DescribeEmulation() is { } emulation)
        {
            text.Append("- **").Append(emulation).Append("**\n");
        }

        text.Append('\n').Append(report.DescribeEquality()).Append('\n');
        if (report.Difference is null)
        {
            foreach (var table in CompareTable.Of(report.Modes))
            {
                Append(text, table);
            }
        }

        return text.ToString();
    }

    private static IEnumerable<string> Setting(CompareSettings settings)
    {
        var machine = settings.Machine;
        yield return $"**Machine**: {machine.Cpu}, {machine.Cores} cores, {machine.InstructionSet}; {machine.System}, {machine.Runtime}; "
            + (machine.Pinned ? "server and edge on a core each" : "server and edge on the same cores")
            + (settings.KeepAwake ? ", kept awake" : "");
        yield return $"**Commit**: {settings.Commit ?? "unknown"}";
        yield return $"**Target**: {settings.Target}; **drafter**: {settings.Drafter}"
            + (settings.DrafterNumerics is { } numerics ? $" ({numerics})" : "") + (settings.WholeDrafts ? ", whole drafts" : "");
        yield return $"**Prompts**: {string.Join(", ", settings.Prompts.Select(set => $"{set.Count} of {set.Name}"))}; first turn; up to {settings.MaxTokens} tokens";
        yield return $"**Links**: {string.Join("; ", settings.Links.Select(link => $"{link.Name} ({link.Figures})"))}; link seed {settings.LinkSeed}";
        yield return $"**Acceptance**: {RuleNames.Of(settings.Sampling.Acceptance)}";
        yield return $"**Sampling seeds**: {string.Join(", ", settings.Seeds)}";
    }

    private static void Append(StringBuilder text, CompareTable table)
    {
        text.Append("\n## ").Append(table.Title).Append("\n\n");
        AppendLine(table.Columns.Select(column => column.Header));
        AppendLine(table.Columns.Select(_ => "---"));
        foreach (var row in table.Rows)
        {
            AppendLine(table.Columns.Select(column => column.Value(row).Replace("|", "\\|", StringComparison.Ordinal)));
        }

        void AppendLine(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }
}
