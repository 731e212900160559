using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Forerun.Cloud;
using Forerun.Inference;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>The chat and the mode edge-only as a user meets them, over a pipe.</summary>
public class ChatTests
{
    private static readonly string Program = Repository.Path(
        "artifacts", "bin", "Forerun.Cli", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "forerun.dll");

    // A background job of a shell ignores SIGINT, and hands that down to what it starts.
    private static readonly string[] Launcher =
        OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];

    [Fact]
    public async Task Chat_TwoTurnsThenReset_EachIsTheTargetsTextForItsHistory()
    {
        await using var server = await ServerFixture.StartAsync(ChatModels.Target);
        using var chat = Start(
            "chat", "--server", server.Addresses[0].ToString(), "--draft-model", ChatModels.DraftPath, "--max-tokens", "10", "--json");
        var first = await AskAsync(chat, "one");
        Assert.Equal(Expected([new("user", "one")]), first);
        Assert.Equal(
            Expected([new("user", "one"), new("assistant", first), new("user", "[red]two[/]")]),
            await AskAsync(chat, "[red]two[/]"));
        await chat.StandardInput.WriteLineAsync("/reset");
        Assert.Equal(Expected([new("user", "three")]), await AskAsync(chat, "three"));
        await chat.StandardInput.WriteLineAsync("/system four");
        await chat.StandardInput.WriteLineAsync("/nonsense");
        Assert.Equal(Expected([new("system", "four"), new("user", "five")]), await AskAsync(chat, "five"));
        await chat.StandardInput.WriteLineAsync("/stats");
        await chat.StandardInput.WriteLineAsync("/quit");
        var notes = await chat.StandardError.ReadToEndAsync(Deadline.Token);
        Assert.Contains("There is no command /nonsense", notes, StringComparison.Ordinal);
        Assert.Matches(@"answers\s+│ 4 ", notes);
        await chat.WaitForExitAsync(Deadline.Token);
        Assert.Equal(0, chat.ExitCode);
    }

    [Fact]
    public async Task Chat_ServerGone_KeepsTheHistoryAndAnswersOnRetry()
    {
        var server = await ServerFixture.StartAsync(ChatModels.Target);
        var address = server.Addresses[0].ToString();
        using var chat = Start(
            "chat", "--server", address, "--draft-model", ChatModels.DraftPath, "--max-tokens", "10", "--json");
        var first = await AskAsync(chat, "one");
        await server.DisposeAsync();
        await chat.StandardInput.WriteLineAsync("two");
        await ReadUntilAsync(chat.StandardError, "The conversation of 1 turns is kept.");
        await using var again = await ForerunServer.StartAsync(
            ChatModels.Target, new() { Urls = [address] }, Deadline.Token);

        // Reconnecting has a pause between attempts: until it is over, a retry fails as the first one did.
        var second = AnswerAsync(chat);
        do
        {
            await chat.StandardInput.WriteLineAsync("/retry");
        }
        while (await Task.WhenAny(second, ReadUntilAsync(chat.StandardError, "The conversation of 1 turns is kept.")) != second);
        Assert.Equal(Expected([new("user", "one"), new("assistant", first), new("user", "two")]), await second);
        await again.DisposeAsync();
        await chat.StandardInput.WriteLineAsync("three");
        chat.StandardInput.Close();
        await chat.WaitForExitAsync(Deadline.Token);
        Assert.Equal(1, chat.ExitCode);
    }

    [Fact]
    public async Task Chat_ServerGoneWithFallback_MarksWhatTheDraftModelSays()
    {
        var server = await ServerFixture.StartAsync(ChatModels.Target);
        using var chat = Start(
            "chat", "--server", server.Addresses[0].ToString(), "--draft-model", ChatModels.DraftPath, "--max-tokens", "10",
            "--fallback", "edge-only");
        await server.DisposeAsync();
        await chat.StandardInput.WriteLineAsync("one");
        chat.StandardInput.Close();
        var text = await chat.StandardOutput.ReadToEndAsync(Deadline.Token);
        Assert.Equal("[edge-only] " + Expected([new("user", "one")], ChatModels.Draft), text[..^1]);
        var notes = await chat.StandardError.ReadToEndAsync(Deadline.Token);
        Assert.Contains("DEGRADED", notes, StringComparison.Ordinal);
        await chat.WaitForExitAsync(Deadline.Token);
        Assert.Equal(0, chat.ExitCode);
    }

    [Fact]
    public async Task Chat_CtrlC_StopsTheAnswerAndAtThePromptLeaves()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Signals are sent with kill.");
        }

        using var chat = Start("chat", "--max-tokens", "0", "--mode", "autoregressive");

        // Long enough not to be over before the signal comes: the answer fills the context.
        await chat.StandardInput.WriteLineAsync("Write a long story about a dragon.");
        Assert.NotEqual(0, await chat.StandardOutput.ReadAsync(new char[1], Deadline.Token));
        await InterruptAsync(chat);
        await ReadUntilAsync(chat.StandardError, "Stopped.");
        await InterruptAsync(chat);
        await chat.WaitForExitAsync(Deadline.Token);
        Assert.Equal(130, chat.ExitCode);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("0.8")]
    public async Task EdgeOnly_IsTheTextOfGenerateWithTheDraftModel(string temperature)
    {
        string[] options = ["What is gravity?", "--max-tokens", "16", "--temperature", temperature, "--seed", "3", "--json"];
        var draft = Repository.Path("models", "forerun-draft", "forerun-draft.gguf");
        var expected = await ForerunProgram.RunAsync(["generate", "--model", draft, "--weights", "fourbit", .. options]);
        var chosen = await ForerunProgram.RunAsync(["edge", "--mode", "edge-only", .. options]);
        var lost = await ForerunProgram.RunAsync(
            ["edge", "--server", "http://127.0.0.1:9", "--fallback", "edge-only", .. options]);
        var refused = await ForerunProgram.RunAsync(["edge", "--server", "http://127.0.0.1:9", .. options]);
        Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
        Assert.False(Parse(expected.Output).GetProperty("degraded").GetBoolean());
        foreach (var result in new[] { chosen, lost })
        {
            Assert.Equal(0, result.ExitCode);
            Assert.Contains("DEGRADED", result.Error, StringComparison.Ordinal);
            var document = Parse(result.Output);
            Assert.Equal(Parse(expected.Output).GetProperty("text").GetString(), document.GetProperty("text").GetString());
            Assert.Equal("edge-only", document.GetProperty("mode").GetString());
            Assert.True(document.GetProperty("degraded").GetBoolean());
            Assert.Equal(0, document.GetProperty("targetTokens").GetInt32());
        }
    }

    [Theory]
    [InlineData("edge-only", "compare", "--modes", "edge-only")]
    [InlineData("'--server' is required", "edge", "x")]
    [InlineData("leave --server out", "edge", "x", "--mode", "edge-only", "--server", "http://127.0.0.1:9")]
    [InlineData("name one with --server", "chat", "--fallback", "edge-only")]
    [InlineData("needs a draft model", "chat", "--mode", "edge-only", "--drafter", "ngram")]
    [InlineData("serves a target's text", "edge", "--mode", "edge-only", "--listen", "http://127.0.0.1:0")]
    public async Task MixedUp_IsAUsageError(string message, params string[] arguments)
    {
        var result = await ForerunProgram.RunAsync(arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    private static string Expected(ChatMessage[] messages, LanguageModel? model = null)
    {
        model ??= ChatModels.Target;
        var prompt = Prompt.Chat(model.TextFormat, messages);
        return model.Tokenizer.Decode(
            TinyModels.PlainLoop(model, new() { PromptTokens = prompt, MaxTokens = 10 }).AsSpan());
    }

    private static async Task<string> AskAsync(Process chat, string question)
    {
        await chat.StandardInput.WriteLineAsync(question);
        return await AnswerAsync(chat);
    }

    private static async Task<string> AnswerAsync(Process chat) =>
        Parse((await chat.StandardOutput.ReadLineAsync(Deadline.Token))!).GetProperty("text").GetString()!;

    private static async Task ReadUntilAsync(StreamReader reader, string text)
    {
        string? line;
        do
        {
            line = await reader.ReadLineAsync(Deadline.Token);
            Assert.NotNull(line);
        }
        while (!line.Contains(text, StringComparison.Ordinal));
    }

    private static async Task InterruptAsync(Process process)
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(Deadline.Token);
        Assert.Equal(0, kill.ExitCode);
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo(Launcher[0], [.. Launcher[1..], Program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
}
