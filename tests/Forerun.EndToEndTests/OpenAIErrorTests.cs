using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>What goes wrong has OpenAI's shape, a status and a text that helps.</summary>
public sealed class OpenAIErrorTests(OpenAIFixture fixture) : IClassFixture<OpenAIFixture>, IDisposable
{
    private const string Chat = "v1/chat/completions";
    private const string Text = "v1/completions";
    // A server closes the connection on a body that it refuses: who asks before sending reads the answer in any case.
    private readonly HttpClient _http = new() { DefaultRequestHeaders = { ExpectContinue = true } };

    public static TheoryData<string, string, int, string?, string> Mistakes => new()
    {
        { Chat, "{", 400, null, "The request body is not valid JSON at line 1, byte 2." },
        { Chat, "null", 400, null, "The request body is null: expected an object." },
        { Chat, "{}", 400, "messages", "The field 'messages' is missing or empty: expected at least one message." },
        { Chat, Message("max_tokens", "-1"), 400, "max_tokens", "The field 'max_tokens' is out of range: expected 1 or more, got -1." },
        { Chat, Message("max_completion_tokens", "0"), 400, "max_completion_tokens", "The field 'max_completion_tokens' is out of range: expected 1 or more, got 0." },
        { Chat, Message("temperature", "\"hot\""), 400, "temperature", "The field 'temperature' has a value of the wrong type or range" },
        { Chat, Message("temperature", "-1"), 400, null, "Temperature must be 0, or between 0.000001 and 100, got -1" },
        { Chat, Message("temperature", "1e99"), 400, null, "" },
        { Chat, Message("top_p", "2"), 400, null, "TopP must be above 0 and at most 1, got 2" },
        { Chat, Message("n", "2"), 400, "n", "The parameter 'n' is not supported with this value. Leave it out." },
        { Chat, Message("top_logprobs", "2"), 400, "top_logprobs", "The field 'top_logprobs' is only allowed with 'logprobs': true." },
        { Chat, Message("logprobs", "true,\"top_logprobs\":21"), 400, "top_logprobs", "The field 'top_logprobs' is out of range: expected 0 to 20, got 21." },
        { Text, """{"prompt":"a","logprobs":-1}""", 400, "logprobs", "The field 'logprobs' is out of range: expected 0 to 20, got -1." },
        { Text, """{"prompt":"a","top_logprobs":1}""", 400, "top_logprobs", "The parameter 'top_logprobs' is not supported with this value. Leave it out." },
        { Chat, Message("tools", "[{}]"), 400, "tools", "The parameter 'tools' is not supported with this value. Leave it out." },
        { Chat, Message("presence_penalty", "0.5"), 400, "presence_penalty", "The parameter 'presence_penalty' is not supported with this value. Leave it out." },
        { Chat, Message("temprature", "0"), 400, "temprature", "The parameter 'temprature' is not known. Leave it out." },
        { Chat, Message("prompt", "\"a\""), 400, "prompt", "The parameter 'prompt' is not known. Leave it out." },
        { Chat, Message("stop", "[1]"), 400, "stop", "The field 'stop' is not usable: expected a string, or at most 16 of them, each of 1 to 256 characters." },
        { Chat, Message("stop", "\"\""), 400, "stop", "The field 'stop' is not usable" },
        { Chat, Message("stream_options", "{}"), 400, "stream_options", "The field 'stream_options' is only allowed with 'stream': true." },
        { Chat, Message("model", "\"other\""), 404, "model", "The model 'other' is not served here" },
        { Chat, """{"messages":[{"role":"robot","content":"a"}]}""", 400, "messages[0].role", "The role of a message is 'robot': expected 'system', 'developer', 'user' or 'assistant'." },
        { Chat, """{"messages":[null]}""", 400, "messages[0].role", "The role of a message is ''" },
        { Chat, """{"messages":[{"role":"user"}]}""", 400, "messages[0].content", "The content of a message is missing: expected a string, or an array of text parts." },
        { Chat, """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""", 400, "messages[0].content[0]", "A part of a message has the type 'image_url': expected 'text'. The target reads nothing else." },
        { Text, "{}", 400, "prompt", "The field 'prompt' is missing or not supported: expected a string, or an array of one string." },
        { Text, """{"prompt":["a","b"]}""", 400, "prompt", "The field 'prompt' is missing or not supported" },
        { Text, """{"prompt":""}""", 400, "prompt", "The field 'prompt' is empty: expected at least one token." },
        { Text, """{"prompt":"a","echo":true}""", 400, "echo", "The parameter 'echo' is not supported with this value. Leave it out." },
        { Text, $$"""{"prompt":"{{new string('ä', 9000)}}"}""", 400, null, "The prompt does not fit the target's context. Shorten it. Expected at most 2047 tokens" },
        { Text, $$"""{"prompt":"{{new string('a', 1 << 20)}}"}""", 413, null, "The request body is too large for this server. Send a shorter prompt." },
        { "v1/embeddings", "{}", 404, null, "There is no POST /v1/embeddings here." },
        { "v1/models", "{}", 405, null, "The method POST is not allowed for /v1/models. Completions take POST, the rest GET." },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Post_Mistake_IsToldInOpenAIsShape(string path, string body, int status, string? param, string message)
    {
        foreach (var endpoint in OpenAIFixture.Endpoints.Select(row => row.Data))
        {
            using var response = await PostAsync(endpoint, path, body);
            var error = await ErrorAsync(response);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Contains(message, error.GetProperty("message").GetString());
            Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
            Assert.Equal(param, error.GetProperty("param").GetString());
            Assert.True(error.TryGetProperty("code", out _));
        }
    }

    [Fact]
    public async Task Post_FormInsteadOfJson_IsRefused()
    {
        using var content = new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded");
        using var response = await _http.PostAsync(
            new Uri(fixture.Address(OpenAIFixture.AtServer), Chat), content, Deadline.Token);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Contains("'Content-Type: application/json'", (await ErrorAsync(response)).GetProperty("message").GetString());
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Completions_Defaults_AreSixteenTokensOfText(string endpoint)
    {
        using var response = await PostAsync(endpoint, Text, """{"prompt":"The sky","temperature":0,"n":1,"user":"me"}""");
        var completion = await JsonAsync(response);
        Assert.Equal("text_completion", completion.GetProperty("object").GetString());
        Assert.Equal(16, completion.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var choice = completion.GetProperty("choices")[0];
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        using var stream = await PostAsync(endpoint, Text, """{"prompt":"The sky","temperature":0,"stream":true}""");
        var events = (await stream.Content.ReadAsStringAsync(Deadline.Token)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        var texts = events[..^1].Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement)
            .Select(chunk => chunk.GetProperty("choices")[0].GetProperty("text").GetString());
        Assert.Equal(choice.GetProperty("text").GetString(), string.Concat(texts));
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_ClientDisconnects_EndsTheSession(string endpoint)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(fixture.Address(endpoint), Chat))
        {
            Content = JsonContent(Message("stream", "true")),
        };
        using (var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Deadline.Token))
        {
            Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        }

        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Fact]
    public async Task Health_ServerGone_IsAliveAndNotReady()
    {
        var server = await ServerFixture.StartAsync(ChatModels.Target);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        await using var http = await OpenAIFixture.ListenAsync(new TextGenerator(verifier, ChatModels.Draft.TextFormat));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), await HealthAsync(http.Addresses[0]));
        await server.DisposeAsync();
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable), await HealthAsync(http.Addresses[0]));
        using var response = await _http.PostAsync(
            new Uri(http.Addresses[0], Chat), JsonContent(Message("max_tokens", "4")), Deadline.Token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (response.StatusCode, response.Headers.RetryAfter!.ToString()));
        Assert.Equal("unavailable", (await ErrorAsync(response)).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Chat_QueueFull_IsRefusedWithRetryAfter()
    {
        using var gate = new ManualResetEventSlim();
        var generator = new TextGenerator(
            fixture.Server.Verifier, ChatModels.Draft.TextFormat, [new GatedDrafter(gate)], new() { Mode = DecodingMode.Speculative, MaxQueued = 0 });
        await using var http = await OpenAIFixture.ListenAsync(generator);
        var first = _http.PostAsync(new Uri(http.Addresses[0], Chat), JsonContent(Message("max_tokens", "4")), Deadline.Token);
        var deadline = Deadline.Token;
        while (fixture.Server.SessionCount == 0)
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        using var second = await _http.PostAsync(
            new Uri(http.Addresses[0], Chat), JsonContent(Message("max_tokens", "4")), Deadline.Token);
        gate.Set();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (second.StatusCode, second.Headers.RetryAfter!.ToString()));
        Assert.Equal("overloaded_error", (await ErrorAsync(second)).GetProperty("type").GetString());
        using var response = await first;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    public void Dispose() => _http.Dispose();

    private static string Message(string name, string value) =>
        $$"""{"messages":[{"role":"user","content":"Why?"}],"{{name}}":{{value}}}""";

    private static StringContent JsonContent(string body) => new(body, new MediaTypeHeaderValue("application/json"));

    private static async Task<JsonElement> ErrorAsync(HttpResponseMessage response) =>
        (await JsonAsync(response)).GetProperty("error");

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync(Deadline.Token)).RootElement;

    private async Task<(HttpStatusCode Live, HttpStatusCode Ready)> HealthAsync(Uri address)
    {
        using var live = await _http.GetAsync(new Uri(address, "health/live"), Deadline.Token);
        using var ready = await _http.GetAsync(new Uri(address, "health/ready"), Deadline.Token);
        return (live.StatusCode, ready.StatusCode);
    }

    private Task<HttpResponseMessage> PostAsync(string endpoint, string path, string body) =>
        _http.PostAsync(new Uri(fixture.Address(endpoint), path), JsonContent(body), Deadline.Token);

    private sealed class GatedDrafter(ManualResetEventSlim gate) : IDrafter
    {
        public void Begin(GenerationRequest request)
        {
        }

        public int Propose(ReadOnlySpan<int> history, Span<int> destination)
        {
            gate.Wait(Deadline.Token);
            return 0;
        }
    }
}
