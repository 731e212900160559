using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Cli.Comparing;
using Forerun.Cli.Running;

namespace Forerun.UnitTests.Cli;

/// <summary>Mode auto beside the fixed modes, from times that are made up.</summary>
public class CompareRowAutoTests
{
    private static readonly ImmutableArray<double> Plain = [10, 10, 10, 10, 10, 10, 20];

    [Fact]
    public void BestFixedMode_SeveralLengthsAndModes_IsTheFastestAtTheMedianThatTheEdgeCanChoose()
    {
        var row = Auto(
            [9, 9, 9, 9, 9, 9, 9],
            Row("autoregressive", null, Plain),
            Row("pipelined", 2, [8, 8, 8, 8, 8, 8, 99]),
            Row("pipelined", 4, [9, 9, 9, 9, 9, 9, 9]),
            Row("colocated", 4, [1, 1, 1, 1, 1, 1, 1]));
        Assert.Equal(("pipelined", 2), (row.BestFixedMode, row.BestFixedDraftLength));
    }

    [Fact]
    public void BestFixedMode_OtherPromptsOrLink_DoNotCount()
    {
        var row = Auto(Plain, Row("pipelined", 4, Plain, prompts: "other"), Row("pipelined", 4, Plain, link: "lan"));
        Assert.Null(row.BestFixedMode);
        Assert.Null(row.TimeOverBestFixed);
        Assert.Null(row.TimeOverBestFixedInterval);
    }

    [Fact]
    public void TimeOverBestFixed_IsTheMedianOfThePromptsRatios_BetweenTheOuterOnesOfSeven()
    {
        var row = Auto([11, 12, 9, 10, 13, 8, 20], Row("autoregressive", null, Plain));
        Assert.Equal(1.0, row.TimeOverBestFixed!.Value, 1e-9);
        Assert.Equal(new Interval(0.8, 1.3), row.TimeOverBestFixedInterval);
    }

    [Fact]
    public void Tables_AutoHasItsOwn_SpeedsTellHowSureTheyAre()
    {
        ImmutableArray<CompareRow> rows = [Row("autoregressive", null, Plain), Row("auto", null, [5, 5, 5, 4, 5, 5, 5])];
        var tables = CompareTable.Of([.. rows.Select(row => row.Beside(rows))]).ToDictionary(table => table.Title);
        Assert.Equal(
            "auto; -; autoregressive; -; 0.50; 0.25 - 0.50",
            string.Join("; ", tables["Auto"].Columns[4..].Select(column => column.Value(tables["Auto"].Rows.Single()))));
        var column = tables["Speed"].Columns.Single(column => column.Header == "95 %");
        Assert.Equal(["1.00 - 1.00", "2.00 - 4.00"], tables["Speed"].Rows.Select(column.Value));
    }

    [Fact]
    public void Json_HasTheFiguresUnderTheirNames()
    {
        var row = Auto(Plain, Row("autoregressive", null, Plain));
        var json = JsonSerializer.SerializeToElement(row, ReportJson.Default.CompareRow);
        Assert.Equal("autoregressive", json.GetProperty("bestFixedMode").GetString());
        Assert.Equal(1, json.GetProperty("timeOverBestFixed").GetDouble());
        Assert.Equal(1, json.GetProperty("speedupInterval").GetProperty("low").GetDouble());
    }

    private static CompareRow Auto(ImmutableArray<double> times, params ImmutableArray<CompareRow> others)
    {
        var auto = Row("auto", null, times);
        return auto.Beside([.. others, auto]);
    }

    private static CompareRow Row(string mode, int? draftLength, ImmutableArray<double> times, string prompts = "set", string link = "loopback") => new(
        new(prompts, "", link, mode, draftLength, 0, 0), [.. times.Select(Generation)], [.. Plain.Select(Generation)]);

    private static GenerationReport Generation(double msPerToken) => CompareRunTests.Generation([5, 6]) with { TimePerOutputTokenMs = msPerToken };
}
