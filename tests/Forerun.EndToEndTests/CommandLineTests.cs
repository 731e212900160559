using System.Text.Json;
using Forerun.Cloud;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Gguf;

namespace Forerun.EndToEndTests;

/// <summary>The program as a user runs it: one JSON document on standard output, errors on standard error, exit codes.
/// </summary>
public class CommandLineTests
{
    [Fact]
    public async Task Generate_Json_OneDocumentWithTheReferenceTokens()
    {
        var expected = JsonDocument.Parse(File.ReadLines(
            Repository.Path("models", "smollm2-135m-instruct", "golden", "greedy.jsonl")).First()).RootElement;
        var ids = expected.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()).Take(12).ToArray();
        var result = await ForerunProgram.RunAsync(
            "generate", expected.GetProperty("user").GetString()!, "--max-tokens", "12", "--weights", "original", "--json");
        Assert.Equal("", result.Error);
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(ids, document.GetProperty("tokens").EnumerateArray().Select(id => id.GetInt32()));
        Assert.Equal("length", document.GetProperty("finishReason").GetString());
        Assert.NotEqual("", document.GetProperty("text").GetString());
    }

    [Fact]
    public async Task Generate_Text_StreamsTextAndTellsFiguresOnStandardError()
    {
        var result = await ForerunProgram.RunAsync("generate", "Say hello.", "--max-tokens", "4");
        Assert.Equal(0, result.ExitCode);
        Assert.NotEqual("", result.Output.Trim());
        Assert.StartsWith("[autoregressive: 4 tokens,", result.Error);
    }

    [Fact]
    public async Task Demo_Json_EqualTextsInEveryModePlainAndEmulated()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                path, """{"name": "test-board", "draftMs": 8, "verifyMs": 30, "networkMs": 2}""", TestContext.Current.CancellationToken);
            var result = await ForerunProgram.RunAsync(
                "demo", "--max-tokens", "26", "--rtt", "1", "--temperature", "0.8", "--seed", "5", "--emulate", path, "--json");
            Assert.Equal(("", 0), (result.Error, result.ExitCode));
            var document = JsonDocument.Parse(result.Output).RootElement;
            Assert.True(document.GetProperty("equal").GetBoolean());
            Assert.InRange(document.GetProperty("acceptanceRate").GetDouble(), 0.01, 1.0);
            CheckModes(document, emulated: null, expectedTokens: 26);
            var emulated = document.GetProperty("emulatedRun");
            CheckModes(emulated, "test-board", expectedTokens: 24);
            Assert.Equal(2, emulated.GetProperty("emulatedRoundTripMs").GetDouble());
        }
        finally
        {
            File.Delete(path);
        }

        static void CheckModes(JsonElement report, string? emulated, int expectedTokens)
        {
            var modes = report.GetProperty("modes").EnumerateArray().ToArray();
            string[] drafting = ["speculative", "preemptive", "pipelined"];
            string[] names = ["autoregressive", .. drafting, .. emulated is null ? ["asynchronous"] : Array.Empty<string>()];
            Assert.Equal(names, modes.Select(mode => mode.GetProperty("mode").GetString()));
            Assert.Single(modes.Select(mode => mode.GetProperty("text").GetString()).Distinct());
            Assert.All(modes, mode => Assert.Equal(emulated, mode.GetProperty("emulated").GetString()));
            Assert.All(modes, mode => Assert.Equal(expectedTokens, mode.GetProperty("tokens").GetArrayLength()));
            Assert.All(modes[1..(drafting.Length + 1)], mode => Assert.True(
                mode.GetProperty("rounds").GetInt32() < modes[0].GetProperty("rounds").GetInt32()));
            Assert.Equal(emulated, report.GetProperty("emulated").GetString());
            Assert.Contains(report.GetProperty("bestMode").GetString(), names);
            Assert.All(modes, mode => Assert.Equal(
                emulated is null ? JsonValueKind.Null : JsonValueKind.Object, mode.GetProperty("overruns").ValueKind));
        }
    }

    [Fact]
    public async Task Inspect_BundledDraftModel_ShowsItsDraftVocabulary()
    {
        var result = await ForerunProgram.RunAsync(
            "inspect", Repository.Path("models", "forerun-draft", "forerun-draft.gguf"), "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(12288, document.GetProperty("draftVocabularySize").GetInt32());
        Assert.Equal(576, document.GetProperty("config").GetProperty("hiddenSize").GetInt32());
    }

    [Fact]
    public async Task Inspect_AnyShard_ShowsTheWholeModelAndWhatBecomesOfIt()
    {
        using var shards = new ShardedModels("smollm-gqa-tied-q5_0", 3);
        var result = await ForerunProgram.RunAsync("inspect", shards.Path(2), "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(3, document.GetProperty("shards").GetInt32());
        Assert.Equal(
            ["F32 9 vectors: F32, exact", "Q5_0 29 matrices: Q8, exact"],
            document.GetProperty("tensorTypes").EnumerateArray().Select(type =>
                $"{type.GetProperty("type")} {type.GetProperty("tensors")} {type.GetProperty("use")}: {type.GetProperty("becomes")}"));
    }

    [Fact]
    public async Task BenchEngine_Json_HasEveryRowCountAndTheRatio()
    {
        var result = await ForerunProgram.RunAsync("bench", "engine", "--threads", "1", "--repetitions", "1", "--context", "16", "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(
            [1, 2, 3, 4, 5, 8, 16],
            document.GetProperty("results").EnumerateArray().Select(row => row.GetProperty("rows").GetInt32()));
        Assert.True(document.GetProperty("verify5OverDecode1").GetDouble() > 0);
    }

    [Fact]
    public async Task BenchEngine_Text_TellsEachStep()
    {
        var model = Repository.Path("tests", "assets", "tiny", "smollm-gqa-tied-q8_0", "model.gguf");
        var result = await ForerunProgram.RunAsync(
            "bench", "engine", "--model", model, "--threads", "1", "--repetitions", "11", "--context", "16");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(
            [
                "loading …", "prefill of 512 tokens …", "warm-up …", "passes, 0 of 11 …", "passes, 10 of 11 …",
                "decode beside plain reading …",
            ],
            result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task BenchExits_BundledExits_TellsWhatEachCosts()
    {
        var result = await ForerunProgram.RunAsync("bench", "exits", "--threads", "1", "--repetitions", "1", "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        var exits = document.GetProperty("exits").EnumerateArray().ToArray();
        Assert.NotEmpty(exits);
        Assert.Equal(
            document.GetProperty("totalShare").GetDouble(), exits.Sum(exit => exit.GetProperty("share").GetDouble()), 1e-6);
    }

    [Fact]
    public async Task BenchServer_Json_HasEveryModeAndNumberOfEdges()
    {
        var result = await ForerunProgram.RunAsync(
            "bench", "server", "--edges", "1", "2", "--prompts-per-edge", "1", "--max-tokens", "6", "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.True(document.GetProperty("equal").GetBoolean());
        Assert.Equal(
            [
                ("autoregressive", 1), ("autoregressive", 2), ("speculative", 1), ("speculative", 2), ("preemptive", 1),
                ("preemptive", 2), ("pipelined", 1), ("pipelined", 2), ("asynchronous", 1), ("asynchronous", 2),
                ("colocated", 1), ("colocated", 2),
            ],
            document.GetProperty("rows").EnumerateArray()
                .Select(row => (row.GetProperty("mode").GetString()!, row.GetProperty("edges").GetInt32())));
    }

    [Fact]
    public async Task BenchLongPrompt_Json_TellsHowLongTheOthersWait()
    {
        var result = await ForerunProgram.RunAsync(
            "bench", "long-prompt", "--edges", "2", "--prompt-tokens", "600", "--json");
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var document = JsonDocument.Parse(result.Output).RootElement;
        Assert.True(document.GetProperty("equal").GetBoolean());
        var row = Assert.Single(document.GetProperty("rows").EnumerateArray());
        Assert.Equal((2, 600, 5), (Int("edges"), Int("promptTokens"), Int("promptPasses")));
        Assert.True(Number("longestWaitMs") >= Number("waitP50Ms") && Number("waitP50Ms") > 0);
        Assert.True(Number("longestPassMs") > 0);

        int Int(string name) => row.GetProperty(name).GetInt32();
        double Number(string name) => row.GetProperty(name).GetDouble();
    }

    [Fact]
    public async Task EdgeAuto_JsonAndExplain_TellWhatTheControllerChose()
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        var result = await ExplainAsync(server, "auto", maxTokens: 60);
        Assert.Equal(0, result.ExitCode);
        var document = JsonDocument.Parse(result.Output).RootElement;
        var controller = document.GetProperty("controller");
        var choices = controller.GetProperty("choices").EnumerateArray().ToArray();
        string[] modes = ["autoregressive", "asynchronous", "speculative", "preemptive", "pipelined"];
        Assert.All(choices, choice => Assert.Contains(choice.GetProperty("mode").GetString(), modes));
        Assert.Equal(document.GetProperty("rounds").GetInt32(), choices.Sum(choice => choice.GetProperty("rounds").GetInt32()));
        Assert.All(controller.GetProperty("expected").EnumerateArray(), one => Assert.True(one.GetProperty("msPerToken").GetDouble() > 0));
        Assert.True(controller.GetProperty("verifyMs")[0].GetDouble() > 0);

        // A line for the first choice and one for each change, then the summary.
        var lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(controller.GetProperty("changes").GetInt32() + 2, lines.Length);
        Assert.Matches("^round 1: [a-z]+ γ=[0-9]+ \\(survey\\); draft ", lines[0]);
        Assert.All(lines[..^1], line => Assert.Matches("^round [0-9]+: ", line));
        Assert.Equal(
            "rounds: " + string.Join(", ", choices.Select(choice =>
                $"{choice.GetProperty("mode")} γ={choice.GetProperty("draftLength")} × {choice.GetProperty("rounds")}")),
            lines[^1]);
    }

    [Fact]
    public async Task EdgeSpeculative_Explain_HasNothingToExplain()
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        var result = await ExplainAsync(server, "speculative", maxTokens: 8);
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        Assert.Equal(JsonValueKind.Null, JsonDocument.Parse(result.Output).RootElement.GetProperty("controller").ValueKind);
    }

    [Theory]
    [InlineData(1, "There are no exits of", "bench", "exits", "--exits", "0")]
    [InlineData(2, "expected bytes", "serve", "--kv-memory", "lots")]
    [InlineData(1, "no-such-file.gguf", "inspect", "no-such-file.gguf")]
    [InlineData(1, "out of range", "generate", "x", "--temperature", "-1")]
    [InlineData(1, "cannot be reached", "edge", "x", "--server", "http://127.0.0.1:9")]
    [InlineData(2, "not usable", "edge", "x", "--server", "nowhere")]
    [InlineData(1, "expected a rank that is a multiple of 32", "train-exits", "--prompts", "/dev/null", "--output", "x", "--rank", "33")]
    [InlineData(1, "no-such-prompts", "train-exits", "--prompts", "no-such-prompts", "--output", "x")]
    [InlineData(2, "--exits takes layer numbers", "train-exits", "--prompts", "x", "--output", "x", "--exits", "10,b")]
    [InlineData(2, "--server", "edge", "x")]
    [InlineData(2, "There is no emulated hardware \"abacus\"", "edge", "x", "--server", "http://127.0.0.1:9", "--emulate", "abacus")]
    [InlineData(2, "expected a100+jetson-nano", "serve", "--emulate", "none")]
    [InlineData(2, "--no-such-option", "generate", "x", "--no-such-option")]
    public async Task Mistakes_AreToldOnStandardErrorWithAnExitCode(int exitCode, string text, params string[] arguments)
    {
        var result = await ForerunProgram.RunAsync(arguments);
        Assert.Equal(exitCode, result.ExitCode);
        Assert.Contains(text, result.Error);
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public async Task Inspect_NotAModel_SaysWhatItIs()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "This is not a model.", TestContext.Current.CancellationToken);
            var result = await ForerunProgram.RunAsync("inspect", path);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("GGUF", result.Error);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static Task<(int ExitCode, string Output, string Error)> ExplainAsync(
        ForerunServer server, string mode, int maxTokens) => ForerunProgram.RunAsync(
            "edge", "one two three", "--raw", "--server", server.Addresses[0].ToString(), "--draft-model",
            Assets.Tiny("smollm-gqa-tied-q4_0"), "--mode", mode, "--max-tokens", $"{maxTokens}", "--json", "--explain");
}
