using System.Text.Json;
using System.Text.Json.Nodes;

namespace Forerun.EndToEndTests;

/// <summary><c>forerun compare</c> as a user runs it, on tiny models.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("forerun-compare-").FullName;

    private string[] Arguments =>
    [
        "compare", "--model", Model("smollm-gqa-tied-q8_0"), "--draft-model", Model("smollm-gqa-tied-q4_0"), "--raw",
        "--prompts", Repository.Path("data", "prompts", "gsm8k.jsonl"), "--limit", "2", "--max-tokens", "8",
        "--link", "loopback", "lan", "--draft-length", "2", "4", "--temperature", "0", "0.8", "--seed", "5",
        "--modes", "speculative", "--output", _folder, "--json",
    ];

    [Fact]
    public async Task Compare_TinyModels_JsonHasEveryFigureAndTheFolderHasTheReports()
    {
        var result = await ForerunProgram.RunAsync(Arguments);
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var report = JsonDocument.Parse(result.Output).RootElement;
        Assert.True(report.GetProperty("equal").GetBoolean());
        var settings = report.GetProperty("settings");
        Assert.True(settings.GetProperty("machine").GetProperty("cores").GetInt32() > 0);
        Assert.NotEqual("", settings.GetProperty("machine").GetProperty("cpu").GetString());
        Assert.Equal(["loopback", "lan"], settings.GetProperty("links").EnumerateArray().Select(link => link.GetProperty("name").GetString()));
        Assert.Equal(5, settings.GetProperty("seeds")[0].GetInt32());

        // As every command that drafts.
        Assert.Equal("int4-v1", settings.GetProperty("drafterNumerics").GetString());

        // 2 links, 2 temperatures, and autoregressive beside two draft lengths.
        var modes = report.GetProperty("modes").EnumerateArray().ToArray();
        Assert.Equal(12, modes.Length);
        foreach (var mode in modes)
        {
            Assert.Contains(mode.GetProperty("mode").GetString(), new[] { "autoregressive", "speculative" });
            Assert.True(mode.GetProperty("equal").GetBoolean());
            Assert.True(mode.GetProperty("timePerOutputTokenP50Ms").GetDouble() > 0);
            Assert.True(mode.GetProperty("timePerOutputTokenP95Ms").GetDouble() > 0);
            Assert.True(mode.GetProperty("timeToFirstTokenP50Ms").GetDouble() > 0);
            Assert.True(mode.GetProperty("bytesUp").GetInt64() > 0 && mode.GetProperty("bytesDown").GetInt64() > 0);
            Assert.True(mode.GetProperty("targetPasses").GetInt32() > 0 && mode.GetProperty("rounds").GetInt32() > 0);
        }

        Assert.Equal(result.Output.Trim(), await File.ReadAllTextAsync(Path.Combine(_folder, "report.json"), Cancellation));
        Assert.Contains("Every text equals the autoregressive one", await File.ReadAllTextAsync(Path.Combine(_folder, "report.md"), Cancellation));

        // Again: nothing is left to do, and the same figures come out.
        var again = await ForerunProgram.RunAsync(Arguments);
        Assert.Equal((0, result.Output), (again.ExitCode, again.Output));

        var other = await ForerunProgram.RunAsync([.. Arguments, "--top-k", "7"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("holds a comparison with other settings: sampling was ", other.Error);
    }

    [Fact]
    public async Task Compare_RecordedTextIsAnother_FailsWithBothTokensAndLogits()
    {
        Assert.Equal(0, (await ForerunProgram.RunAsync(Arguments)).ExitCode);

        // One token of the record is changed, as if the server had written another text.
        var path = Path.Combine(_folder, "cells.jsonl");
        var lines = await File.ReadAllLinesAsync(path, Cancellation);
        var cell = JsonNode.Parse(lines[1])!;
        var tokens = cell["generation"]!["tokens"]!.AsArray();
        var (expected, got) = ((int)tokens[1]!, ((int)tokens[1]! + 1) % 600);
        tokens[1] = got;
        lines[1] = cell.ToJsonString();
        await File.WriteAllTextAsync(path, string.Join('\n', lines) + "\n", Cancellation);

        var result = await ForerunProgram.RunAsync(Arguments);
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(
            $"^forerun: The texts differ; no speed is reported\\. Prompt \"gsm8k/0\" of gsm8k, link loopback, temperature 0, seed 5: speculative with draft length 2 leaves autoregressive at output token 1\\. Expected {expected} \".*\" \\(logit -?[0-9.]+\\), got {got} \".*\" \\(logit -?[0-9.]+\\)\\. This is a defect\\.\n$",
            result.Error);
        var report = JsonDocument.Parse(result.Output).RootElement;
        Assert.False(report.GetProperty("equal").GetBoolean());
        Assert.Equal(0, report.GetProperty("modes").GetArrayLength());
        Assert.Equal(got, report.GetProperty("difference").GetProperty("got").GetProperty("id").GetInt32());
    }

    [Fact]
    public async Task Compare_EmulatedFile_MarksEveryOutputAndTakesItsTimes()
    {
        var profile = Path.Combine(_folder, "board.json");
        await File.WriteAllTextAsync(
            profile, """{"name": "test-board", "draftMs": 8, "verifyMs": 12, "networkMs": 2}""", Cancellation);
        var output = Path.Combine(_folder, "results");
        string[] arguments =
        [
            "compare", "--model", Model("smollm-gqa-tied-q8_0"), "--draft-model", Model("smollm-gqa-tied-q4_0"), "--raw",
            "--prompts", Repository.Path("data", "prompts", "gsm8k.jsonl"), "--limit", "1", "--max-tokens", "8",
            "--modes", "pipelined", "--emulate", profile, "--output", output,
        ];
        var json = await ForerunProgram.RunAsync([.. arguments, "--json"]);
        Assert.Equal(("", 0), (json.Error, json.ExitCode));
        var report = JsonDocument.Parse(json.Output).RootElement;
        Assert.Equal("test-board", report.GetProperty("emulated").GetString());
        var settings = report.GetProperty("settings");
        Assert.Equal("draft of 4: 8 ms, verification 12 ms, network 2 ms", settings.GetProperty("emulatedTimes").GetString());
        Assert.Equal(["rtt 2 ms"], settings.GetProperty("links").EnumerateArray().Select(link => link.GetProperty("name").GetString()));
        var modes = report.GetProperty("modes").EnumerateArray().ToArray();
        Assert.Equal(["autoregressive", "pipelined"], modes.Select(mode => mode.GetProperty("mode").GetString()));
        Assert.All(modes, mode => Assert.True(mode.GetProperty("equal").GetBoolean()));
        Assert.All(modes, mode => Assert.Equal(
            mode.GetProperty("rounds").GetInt32() - 1, mode.GetProperty("overruns").GetProperty("verifications").GetInt32()));
        Assert.True(modes[0].GetProperty("serverMsPerToken").GetDouble() >= 12);
        Assert.True(modes[1].GetProperty("overruns").GetProperty("draftSteps").GetInt32() > 0);

        var text = await ForerunProgram.RunAsync(arguments);
        Assert.Contains("Emulated test-board", text.Output);

        // A pipe has no width: each table has its headers in one line.
        Assert.Matches("(?m)Prompts.*First token ms.*By position", text.Output);
        Assert.Matches("(?m)Prompts.*Target passes.*Link ms/round", text.Output);
        Assert.Matches("(?m)Prompts.*Full acceptance.*Round trip hidden", text.Output);
        Assert.Contains("**Emulated test-board", await File.ReadAllTextAsync(Path.Combine(output, "report.md"), Cancellation));
    }

    [Theory]
    [InlineData(2, "There is no link \"moon\"", "--link", "moon")]
    [InlineData(2, "'teleported' not recognized", "--modes", "teleported")]
    [InlineData(1, "the jitter must be between 0 ms and the round trip (1 ms), got 2 ms", "--rtt", "1", "--jitter", "2")]
    [InlineData(1, "no-such-file.jsonl", "--prompts", "no-such-file.jsonl")]
    [InlineData(1, "has no prompts to run", "--limit", "0")]
    public async Task Compare_Mistakes_AreToldBeforeAnythingRuns(int exitCode, string text, params string[] arguments)
    {
        var result = await ForerunProgram.RunAsync(["compare", .. arguments]);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(text, result.Error, StringComparison.OrdinalIgnoreCase);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static string Model(string name) => Repository.Path("tests", "assets", "tiny", name, "model.gguf");
}
