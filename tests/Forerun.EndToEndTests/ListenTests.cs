using System.ClientModel;
using System.ClientModel.Primitives;
using System.Diagnostics;
using System.Text.Json;
using Forerun.UnitTests.Cloud;
using OpenAI;
using OpenAI.Chat;

namespace Forerun.EndToEndTests;

/// <summary>The program's own endpoints with the bundled models, as processes: the text of <c>generate</c>.</summary>
public class ListenTests
{
    private const string Question = "What is gravity?";

    private static readonly string Program = Repository.Path(
        "artifacts", "bin", "Forerun.Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "forerun.dll");

    [Theory]
    [InlineData]
    [InlineData("--drafter", "ngram")]
    [InlineData("--fallback", "edge-only")]
    public async Task ServeAndEdgeListen_WriteTheTextOfGenerate(params string[] options)
    {
        using var generate = Start("generate", Question, "--max-tokens", "24", "--json");
        var expected = await ReportAsync(generate);
        using var server = Start("serve", "--urls", "http://127.0.0.1:0", "--json");
        try
        {
            var serving = await ReportAsync(server);
            using var edge = Start(
            [
                "edge", "--server", serving.GetProperty("urls")[0].GetString()!, "--listen", "http://127.0.0.1:0", "--json", .. options,
            ]);
            try
            {
                var listening = await ReportAsync(edge);
                foreach (var report in new[] { serving, listening })
                {
                    ChatCompletion completion = await CompleteAsync(report);
                    Assert.Equal(expected.GetProperty("text").GetString(), completion.Content[0].Text);
                    Assert.Equal(serving.GetProperty("targetId").GetString(), completion.Model);
                }

                server.Kill();
                await server.WaitForExitAsync(Deadline.Token);
                await AssertLostAsync(listening, hasFallback: options.Contains("--fallback"));
            }
            finally
            {
                edge.Kill();
            }
        }
        finally
        {
            server.Kill();
        }
    }

    private static async Task AssertLostAsync(JsonElement listening, bool hasFallback)
    {
        if (!hasFallback)
        {
            Assert.Equal(503, (await Assert.ThrowsAsync<ClientResultException>(() => CompleteAsync(listening))).Status);
            return;
        }

        using var alone = Start("edge", Question, "--mode", "edge-only", "--max-tokens", "24", "--json");
        var draft = await ReportAsync(alone);
        ChatCompletion degraded = await CompleteAsync(listening);
        Assert.Equal(draft.GetProperty("text").GetString(), degraded.Content[0].Text);
        Assert.Equal(draft.GetProperty("model").GetString(), degraded.Model);
        Assert.Equal("edge-only", degraded.SystemFingerprint);
    }

    private static async Task<ChatCompletion> CompleteAsync(JsonElement serving)
    {
        var client = new ChatClient(
            serving.GetProperty("targetId").GetString()!,
            new ApiKeyCredential("none"),
            new OpenAIClientOptions
            {
                Endpoint = new Uri(serving.GetProperty("httpUrls")[0].GetString() + "v1"),
                RetryPolicy = new ClientRetryPolicy(0),
            });
        return await client.CompleteChatAsync(
            [new UserChatMessage(Question)], new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 24 }, Deadline.Token);
    }

    [Theory]
    [InlineData("Give either a prompt or --listen.", "edge", "--server", "http://127.0.0.1:9")]
    [InlineData("Give either a prompt or --listen.", "edge", "x", "--server", "http://127.0.0.1:9", "--listen", "http://127.0.0.1:0")]
    [InlineData("--seed goes with a prompt, not with --listen", "edge", "--server", "http://127.0.0.1:9", "--listen", "http://127.0.0.1:0", "--seed", "1")]
    public async Task Edge_MixedUp_IsAUsageError(string message, params string[] arguments)
    {
        using var process = Start(arguments);
        Assert.Contains(message, await process.StandardError.ReadToEndAsync(Deadline.Token));
        await process.WaitForExitAsync(Deadline.Token);
        Assert.Equal(2, process.ExitCode);
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private static async Task<JsonElement> ReportAsync(Process process) =>
        JsonDocument.Parse((await process.StandardOutput.ReadLineAsync(Deadline.Token))!).RootElement;
}
