using System.Collections.Immutable;
using System.Globalization;
using Forerun.Cli.Running;

namespace Forerun.Cli.Comparing;

/// <summary>A column of the report's tables.</summary>
/// <param name="Header">What it shows.</param>
/// <param name="Value">A row's text.</param>
internal sealed record CompareColumn(string Header, Func<CompareRow, string> Value);

/// <summary>A table of the report, on the terminal and in Markdown.</summary>
internal sealed record CompareTable(
    string Title, ImmutableArray<CompareColumn> Columns, ImmutableArray<CompareRow> Rows)
{
    /// <summary>The tables that have something to show.</summary>
    public static IEnumerable<CompareTable> Of(ImmutableArray<CompareRow> rows) => new CompareTable[]
    {
        new("Speed", CompareColumns.Speed, rows),
        new("Cost", CompareColumns.Cost, rows),
        new("Drafting ahead", CompareColumns.Ahead, [.. rows.Where(row => row.DraftsAhead)]),
        new("Auto", CompareColumns.Auto, [.. rows.Where(row => row.BestFixedMode is not null)]),
    }.Where(table => !table.Rows.IsEmpty);
}

/// <summary>The columns of the tables.</summary>
internal static class CompareColumns
{
    private static readonly CompareColumn[] Options =
    [
        new("Prompts", row => row.Prompts),
        new("Link", row => row.Link),
        new("T", row => Text($"{row.Temperature}")),
        new("Seed", row => Text($"{row.Seed}")),
        new("Mode", row => row.Mode),
        new("γ", row => row.DraftLength is { } length ? Text($"{length}") : "-"),
    ];

    /// <summary>Speed and acceptance.</summary>
    public static ImmutableArray<CompareColumn> Speed { get; } =
    [
        .. Options,
        new("First token ms", row => Text($"{row.TimeToFirstTokenP50Ms:F0}")),
        new("ms/token p50", row => Number(row.TimePerOutputTokenP50Ms, "F1")),
        new("p95", row => Number(row.TimePerOutputTokenP95Ms, "F1")),
        new("Speedup", row => Number(row.Speedup, "F2")),
        new("95 %", row => Range(row.SpeedupInterval)),
        new("Accepted", row => Percent(row.AcceptanceRate)),
        new("Tokens/round", row => Text($"{row.MeanAcceptanceLength:F2}")),
        new("By position", row => string.Join(' ', row.AcceptancePerPosition.Select(share => Percent(share)))),
    ];

    /// <summary>Where time and bytes go.</summary>
    public static ImmutableArray<CompareColumn> Cost { get; } =
    [
        .. Options,
        new("Rounds", row => Text($"{row.Rounds}")),
        new("Target passes", row => Text($"{row.TargetPasses}")),
        new("Passes/token", row => Text($"{row.TargetPassesPerToken:F2}")),
        new("Bytes up", row => Text($"{row.BytesUp}")),
        new("Bytes down", row => Text($"{row.BytesDown}")),
        new("Edge", row => Percent(row.EdgeShare)),
        new("Cloud", row => Percent(row.CloudShare)),
        new("Network", row => Percent(row.NetworkShare)),
        new("Idle", row => Percent(row.IdleShare)),
        new("Server ms/token", row => Text($"{row.ServerMsPerToken:F1}")),
        new("Link ms/round", row => Number(row.LinkMsPerRound, "F2")),
    ];

    /// <summary>Hits as shares of the verdicts, and what drafting ahead cost and hid.</summary>
    public static ImmutableArray<CompareColumn> Ahead { get; } =
    [
        .. Options,
        new("Hits", row => Percent(row.HitRate)),
        new("Full acceptance", row => Percent(row.FullAcceptanceHitRate)),
        new("Alternative", row => Percent(row.AlternativeHitRate)),
        new("Announcement", row => Percent(row.AnnouncementHitRate)),
        new("Finished", row => Percent(row.FinishedHitRate)),
        new("Sent in time", row => Percent(row.SentHitRate)),
        new("Tokens ahead/round", row => Number(row.TokensAheadPerRound, "F1")),
        new("Wasted/round", row => Number(row.WastedTokensPerRound, "F1")),
        new("Drafting hidden", row => Percent(row.DraftingHidden)),
        new("Round trip hidden", row => Percent(row.RoundTripHidden)),
    ];

    /// <summary>Mode auto beside the best fixed mode.</summary>
    public static ImmutableArray<CompareColumn> Auto { get; } =
    [
        .. Options,
        new("Best fixed mode", row => row.BestFixedMode ?? "-"),
        new("Its γ", row => row.BestFixedDraftLength is { } length ? Text($"{length}") : "-"),
        new("Auto's time ÷ its", row => Number(row.TimeOverBestFixed, "F2")),
        new("95 %", row => Range(row.TimeOverBestFixedInterval)),
    ];

    private static string Range(Interval? interval) => interval is { } known ? Text($"{known.Low:F2} - {known.High:F2}") : "-";

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Percent(double? share) => share is { } known ? Text($"{known * 100:F0} %") : "-";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
