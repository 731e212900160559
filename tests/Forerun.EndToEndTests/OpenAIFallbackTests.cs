using System.Net.Http.Headers;
using System.Text.Json;
using Forerun.Edge;
using Forerun.Edge.EdgeOnly;
using Forerun.Edge.Generation;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>Where the draft model alone goes on, the answer says so: nobody takes it for the target's.</summary>
public sealed class OpenAIFallbackTests : IDisposable
{
    private readonly HttpClient _http = new();

    [Fact]
    public async Task Chat_ServerGone_SaysWhoAnswers()
    {
        var server = await ServerFixture.StartAsync(ChatModels.Target);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        using var drafter = new ModelDrafter(ChatModels.Draft);
        var generator = new TextGenerator(
            verifier,
            ChatModels.Draft.TextFormat,
            [drafter],
            new() { Decoder = new EdgeDecoderOptions { Fallback = new EdgeOnlyVerifier(ChatModels.Draft) } });
        await using var http = await OpenAIFixture.ListenAsync(generator);
        var before = await WholeAsync(http.Addresses[0], "");
        Assert.Equal(ChatModels.Target.Id, before.GetProperty("model").GetString());
        Assert.False(before.TryGetProperty("degraded", out _));
        await server.DisposeAsync();

        var whole = await WholeAsync(http.Addresses[0], "");
        AssertDegraded(whole);
        var prompt = Prompt.Chat(ChatModels.Draft.TextFormat, [new Inference.Tokenization.ChatMessage("user", "Why?")]);
        var own = TinyModels.PlainLoop(ChatModels.Draft, new() { PromptTokens = prompt, MaxTokens = 8 });
        Assert.Equal(
            ChatModels.Draft.Tokenizer.Decode(own.AsSpan()),
            whole.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());

        var events = (await PostAsync(http.Addresses[0], ",\"stream\":true")).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        Assert.All(events[..^1], line => AssertDegraded(JsonDocument.Parse(line["data: ".Length..]).RootElement));
    }

    [Fact]
    public async Task Chat_ServerGoneAndLogprobsWanted_IsUnavailable()
    {
        var server = await ServerFixture.StartAsync(ChatModels.Target);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        var generator = new TextGenerator(verifier, ChatModels.Draft.TextFormat, options: new()
        {
            Decoder = new EdgeDecoderOptions { Fallback = new EdgeOnlyVerifier(ChatModels.Draft) },
        });
        await using var http = await OpenAIFixture.ListenAsync(generator);
        await server.DisposeAsync();
        var error = (await WholeAsync(http.Addresses[0], ",\"logprobs\":true")).GetProperty("error");
        Assert.Equal("unavailable", error.GetProperty("code").GetString());
    }

    public void Dispose() => _http.Dispose();

    private static void AssertDegraded(JsonElement completion)
    {
        Assert.Equal(ChatModels.Draft.Id, completion.GetProperty("model").GetString());
        Assert.Equal("edge-only", completion.GetProperty("system_fingerprint").GetString());
        var degraded = completion.GetProperty("degraded");
        Assert.Equal(0, degraded.GetProperty("target_tokens").GetInt32());
        Assert.Contains("cannot be reached", degraded.GetProperty("reason").GetString());
    }

    private async Task<JsonElement> WholeAsync(Uri address, string more) =>
        JsonDocument.Parse(await PostAsync(address, more)).RootElement;

    private async Task<string> PostAsync(Uri address, string more)
    {
        using var response = await _http.PostAsync(
            new Uri(address, "v1/chat/completions"),
            new StringContent(
                """{"messages":[{"role":"user","content":"Why?"}],"temperature":0,"max_tokens":8""" + more + "}",
                new MediaTypeHeaderValue("application/json")),
            Deadline.Token);
        return await response.Content.ReadAsStringAsync(Deadline.Token);
    }
}
