using System.ClientModel;
using System.Diagnostics;
using System.Text.Json;
using Forerun.UnitTests.Cloud;
using OpenAI;
using OpenAI.Chat;

namespace Forerun.EndToEndTests;

/// <summary>The program's own endpoints with the bundled models, as processes: the text of <c>generate</c>.</summary>
public class ListenTests
{
    private static readonly string Program = Repository.Path(
        "artifacts", "bin", "Forerun.Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "forerun.dll");

    [Fact]
    public async Task ServeAndEdgeListen_WriteTheTextOfGenerate()
    {
        const string question = "What is gravity?";
        using var generate = Start("generate", question, "--max-tokens", "24", "--json");
        var expected = await ReportAsync(generate);
        using var server = Start("serve", "--urls", "http://127.0.0.1:0", "--json");
        try
        {
            var serving = await ReportAsync(server);
            using var edge = Start(
                "edge", "--server", serving.GetProperty("urls")[0].GetString()!, "--listen", "http://127.0.0.1:0", "--json");
            try
            {
                foreach (var report in new[] { serving, await ReportAsync(edge) })
                {
                    var client = new ChatClient(
                        report.GetProperty("targetId").GetString()!,
                        new ApiKeyCredential("none"),
                        new OpenAIClientOptions { Endpoint = new Uri(report.GetProperty("httpUrls")[0].GetString() + "v1") });
                    ChatCompletion completion = await client.CompleteChatAsync(
                        [new UserChatMessage(question)],
                        new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 24 },
                        Deadline.Token);
                    Assert.Equal(expected.GetProperty("text").GetString(), completion.Content[0].Text);
                }
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
