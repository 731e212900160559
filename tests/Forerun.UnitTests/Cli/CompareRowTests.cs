using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Cli.Comparing;
using Forerun.Cli.Running;
using Forerun.Core.Sampling;
using Forerun.Edge.Links;

namespace Forerun.UnitTests.Cli;

/// <summary>The figures of drafting ahead, from generations that are made up.</summary>
public class CompareRowTests
{
    private static readonly ImmutableArray<LinkProfile> Links = [LinkProfile.Loopback, LinkProfile.Parse("lan")];

    private static PromptSet Set => new("set", [new PromptLine("a", ["One."]), new PromptLine("b", ["Two."])]);

    [Fact]
    public void Row_DraftsAhead_HasHitsAndWhatIsHidden()
    {
        var row = Row("pipelined", "lan");

        // 2 generations of 11 rounds: 20 verdicts that could be hit, 20 rounds after the first.
        Assert.Equal(0.6, row.HitRate);
        Assert.Equal((0.3, 0.2, 0.1), (row.FullAcceptanceHitRate, row.AlternativeHitRate, row.AnnouncementHitRate));
        Assert.Equal((0.5, 0.4), (row.FinishedHitRate, row.SentHitRate));
        Assert.Equal((10, 7), (row.TokensAheadPerRound, row.WastedTokensPerRound));

        // 3 of 12 ms a round are still drafted before sending, 2 of 5 ms are still waited for.
        Assert.Equal(0.75, row.DraftingHidden!.Value, 1e-9);
        Assert.Equal(0.6, row.RoundTripHidden!.Value, 1e-9);
    }

    [Fact]
    public void RoundTripHidden_NoRoundTrip_IsNull()
    {
        var row = Row("pipelined", "loopback");
        Assert.NotNull(row.DraftingHidden);
        Assert.Null(row.RoundTripHidden);
    }

    [Fact]
    public void Hidden_WithoutModeSpeculative_IsNull()
    {
        var row = Row("pipelined", "lan", "pipelined");
        Assert.NotNull(row.HitRate);
        Assert.Null(row.DraftingHidden);
        Assert.Null(row.RoundTripHidden);
    }

    [Fact]
    public void Hidden_SpeculativeDraftedNothing_IsNull() =>
        Assert.Null(Report(["speculative", "pipelined"], run => run with { DraftedTokens = 0 }).Modes[^1].DraftingHidden);

    [Fact]
    public void Hidden_OneRoundOnly_IsNull()
    {
        var row = Report(["speculative", "pipelined"], run => run with { Rounds = 1 }).Modes[^1];
        Assert.Null(row.DraftingHidden);
        Assert.Null(row.RoundTripHidden);
    }

    [Fact]
    public void Row_ChoosesItsDraftLength_HasHitsAndNothingToCompareWith()
    {
        var row = Row("auto", "lan");
        Assert.Equal(0.6, row.HitRate);
        Assert.Null(row.DraftingHidden);
        Assert.Null(row.RoundTripHidden);
    }

    [Theory]
    [InlineData("autoregressive")]
    [InlineData("speculative")]
    [InlineData("colocated")]
    public void Row_DraftsNothingAhead_HasNoneOfTheFigures(string mode)
    {
        var row = Row(mode, "lan");
        double?[] figures =
        [
            row.HitRate, row.FullAcceptanceHitRate, row.AlternativeHitRate, row.AnnouncementHitRate, row.FinishedHitRate,
            row.SentHitRate, row.TokensAheadPerRound, row.WastedTokensPerRound, row.DraftingHidden, row.RoundTripHidden,
        ];
        Assert.All(figures, figure => Assert.Null(figure));
    }

    [Fact]
    public void Row_NoVerdictCouldBeHit_HasNoRate() => Assert.Null(Report(
        ["pipelined"], run => run with { PreDrafts = run.PreDrafts is null ? null : new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) }).Modes[^1].HitRate);

    [Fact]
    public void Tables_ListWhatDraftsAhead()
    {
        var report = Report(["speculative", "pipelined", "auto"]);
        var markdown = CompareMarkdown.Of(report).Split("## Drafting ahead\n\n")[1].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            "| Prompts | Link | T | Seed | Mode | γ | Hits | Full acceptance | Alternative | Announcement | Finished | Sent in time | Tokens ahead/round | Wasted/round | Drafting hidden | Round trip hidden |",
            markdown[0]);
        Assert.Equal(
            [
                "| set | loopback | 0 | 3 | pipelined | 4 | 60 % | 30 % | 20 % | 10 % | 50 % | 40 % | 10.0 | 7.0 | 75 % | - |",
                "| set | loopback | 0 | 3 | auto | - | 60 % | 30 % | 20 % | 10 % | 50 % | 40 % | 10.0 | 7.0 | - | - |",
                "| set | lan | 0 | 3 | pipelined | 4 | 60 % | 30 % | 20 % | 10 % | 50 % | 40 % | 10.0 | 7.0 | 75 % | 60 % |",
                "| set | lan | 0 | 3 | auto | - | 60 % | 30 % | 20 % | 10 % | 50 % | 40 % | 10.0 | 7.0 | - | - |",
            ],
            markdown[2..]);
        Assert.Equal(["Speed", "Cost"], CompareTable.Of(Report(["speculative"]).Modes).Select(table => table.Title));
    }

    [Fact]
    public void Json_HasTheFiguresUnderTheirNames()
    {
        var json = JsonSerializer.SerializeToElement(Report(["speculative", "pipelined"]), ReportJson.Default.CompareReport);
        var row = json.GetProperty("modes")[5];
        Assert.Equal(("pipelined", "lan"), (row.GetProperty("mode").GetString(), row.GetProperty("link").GetString()));
        Assert.Equal(0.75, row.GetProperty("draftingHidden").GetDouble(), 1e-9);
        Assert.Equal(0.6, row.GetProperty("roundTripHidden").GetDouble(), 1e-9);
        Assert.Equal(0.4, row.GetProperty("sentHitRate").GetDouble());
        Assert.False(row.TryGetProperty("speculative", out _));
        Assert.Equal(JsonValueKind.Null, json.GetProperty("modes")[4].GetProperty("hitRate").ValueKind);
    }

    private static CompareRow Row(string mode, string link, params ImmutableArray<string> modes) =>
        Report(modes.IsEmpty ? ["speculative", "pipelined", "colocated", "auto"] : modes).Modes
            .Single(row => row.Mode == mode && row.Link == link);

    private static CompareReport Report(ImmutableArray<string> modes, Func<GenerationReport, GenerationReport>? change = null)
    {
        var settings = new CompareSettings
        {
            Target = "target",
            Drafter = "draft",
            Prompts = [Set.Setting],
            Modes = modes,
            Links = [.. Links.Select(link => new LinkSetting(link.Name, link.Describe()))],
            LinkSeed = 1,
            DraftLengths = [4],
            Temperatures = [0],
            Seeds = [3],
            Sampling = SamplingOptions.Default,
            MaxTokens = 12,
            Raw = true,
            Machine = Machine.This(),
            Commit = "abc",
        };
        var plan = new ComparePlan(settings, [Set]);
        using var store = CellStore.Open(null, settings);
        foreach (var planned in Links.SelectMany(link => plan.Over(link)))
        {
            var generation = Generation(planned.Key.Mode, longer: planned.Key.Prompt == "b");
            store.Add(new Cell(planned.Key, change?.Invoke(generation) ?? generation));
        }

        return CompareReport.Of(settings, plan, Links, store);
    }

    /// <summary>One of two prompts. The times of the first round are in the totals only.</summary>
    private static GenerationReport Generation(string mode, bool longer)
    {
        var generation = CompareRunTests.Generation([5, 6]) with { Rounds = 11, DraftMs = 1000, WaitMs = 2000 };
        return mode switch
        {
            "speculative" => generation with { DraftedTokens = 44, LaterDraftMs = longer ? 140 : 100, LaterLinkMs = longer ? 60 : 40 },
            "pipelined" or "auto" => generation with
            {
                DraftedTokens = 44,
                LaterDraftMs = longer ? 40 : 20,
                LaterLinkMs = longer ? 30 : 10,
                PreDrafts = new(
                    Rounds: 10,
                    Hits: 6,
                    FullAcceptanceHits: 3,
                    AlternativeHits: 2,
                    AnnouncementHits: 1,
                    FinishedHits: 5,
                    SentHits: 4,
                    SentDrafts: 20,
                    Tokens: 110,
                    WastedTokens: 77,
                    HiddenMs: 9),
            },
            _ => generation,
        };
    }
}
