using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;

namespace Forerun.EndToEndTests;

/// <summary>Rejection sampling over the network, and as a user asks for it.</summary>
public class RejectionTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private static string Model(string name) => Repository.Path("tests", "assets", "tiny", name, "model.gguf");

    private static GenerationRequest Request(ulong seed) => new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 32,
        Sampling = TinyModels.Sampled(seed) with { Acceptance = AcceptanceRule.Rejection },
    };

    [Theory]
    [InlineData(1, 11)]
    [InlineData(4, 11)]
    [InlineData(8, 12)]
    public async Task Complete_SameSeedAndDrafts_WriteTheSameTextInEveryMode(int draftLength, ulong seed)
    {
        using var verifier = fixture.Connect();
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var expected = await ServerFixture.CompleteAsync(verifier, Request(seed), drafter, draftLength);
        foreach (var mode in new[] { DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Colocated })
        {
            var request = Request(seed) with { Mode = mode, DraftLength = draftLength };
            Assert.Equal(expected, await ServerFixture.CompleteAsync(verifier, request, drafter, draftLength));
        }

        Assert.Equal(expected.Length, (await ServerFixture.CompleteAsync(
            verifier, Request(seed) with { Mode = DecodingMode.Auto }, drafter, draftLength)).Length);
    }

    [Theory]
    [InlineData(DecodingMode.Speculative)]
    [InlineData(DecodingMode.Pipelined)]
    public async Task Complete_Greedy_WritesThePlainLoopsText(DecodingMode mode)
    {
        var request = Request(0) with { Mode = mode, Sampling = new() { Acceptance = AcceptanceRule.Rejection } };
        using var verifier = fixture.Connect();
        using var drafter = new ModelDrafter(TinyModels.Draft);
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, request), await ServerFixture.CompleteAsync(verifier, request, drafter));
    }

    [Fact]
    public async Task Complete_DraftersWithoutProbabilities_CountAsCertain()
    {
        using var verifier = fixture.Connect();
        foreach (var drafter in new IDrafter[] { new NgramDrafter(), new RandomDrafter(4, ServerFixture.VocabSize) })
        {
            var first = await ServerFixture.CompleteAsync(verifier, Request(11), drafter);
            Assert.Equal(first, await ServerFixture.CompleteAsync(verifier, Request(11), drafter));
        }
    }

    [Fact]
    public async Task Edge_Acceptance_IsWhatDecidesAndIsReported()
    {
        string[] arguments =
        [
            "edge", "x y z", "--raw", "--server", fixture.Address.ToString(), "--draft-model", Model("smollm-gqa-tied-q4_0"),
            "--temperature", "2", "--seed", "11", "--max-tokens", "64", "--json",
        ];
        var rejection = await TokensAsync([.. arguments, "--acceptance", "rejection"]);
        Assert.Equal(rejection, await TokensAsync([.. arguments, "--acceptance", "rejection"]));
        Assert.NotEqual(rejection.Tokens, (await TokensAsync(arguments)).Tokens);
        Assert.Equal("rejection", rejection.Acceptance);
        Assert.Equal((await TokensAsync(arguments)), await TokensAsync([.. arguments, "--acceptance", "shared-noise"]));
        Assert.Contains("'tossed' not recognized", (await ForerunProgram.RunAsync([.. arguments, "--acceptance", "tossed"])).Error);
    }

    [Fact]
    public async Task Compare_Rejection_ClaimsEqualityOfGreedyTextsOnly()
    {
        var folder = Directory.CreateTempSubdirectory("forerun-compare-").FullName;
        string[] arguments =
        [
            "compare", "--model", Model("smollm-gqa-tied-q8_0"), "--draft-model", Model("smollm-gqa-tied-q4_0"), "--raw",
            "--prompts", Repository.Path("data", "prompts", "gsm8k.jsonl"), "--limit", "2", "--max-tokens", "16", "--link", "loopback",
            "--temperature", "0", "0.8", "--modes", "speculative", "--acceptance", "rejection", "--output", folder,
        ];
        var result = await ForerunProgram.RunAsync([.. arguments, "--json"]);
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var report = JsonDocument.Parse(result.Output).RootElement;
        Assert.Equal(JsonValueKind.Null, report.GetProperty("equal").ValueKind);
        Assert.Equal("rejection", report.GetProperty("settings").GetProperty("sampling").GetProperty("acceptance").GetString());
        Assert.All(report.GetProperty("modes").EnumerateArray(), mode => Assert.Equal(
            mode.GetProperty("temperature").GetDouble() == 0 ? JsonValueKind.True : JsonValueKind.Null,
            mode.GetProperty("equal").ValueKind));
        const string Text = "Every greedy text equals the autoregressive one, token for token. The other texts were drawn by rejection "
            + "sampling: they have the target's distribution, but depend on who drafts and how much, so their equality cannot be and "
            + "was not checked.";
        Assert.Contains(Text, await File.ReadAllTextAsync(Path.Combine(folder, "report.md"), TestContext.Current.CancellationToken));
        Assert.Contains("cannot be and was not", (await ForerunProgram.RunAsync(arguments)).Output);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<(string Tokens, string? Acceptance)> TokensAsync(string[] arguments)
    {
        var result = await ForerunProgram.RunAsync(arguments);
        Assert.Equal(("", 0), (result.Error, result.ExitCode));
        var report = JsonDocument.Parse(result.Output).RootElement;
        return (report.GetProperty("tokens").GetRawText(), report.GetProperty("acceptance").GetString());
    }
}
