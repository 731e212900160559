using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Immutable;
using System.Net.Http.Headers;
using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.UnitTests.Cloud;
using OpenAI;
using OpenAI.Chat;

#pragma warning disable OPENAI001 // The seed is marked as a preview in the client.

namespace Forerun.EndToEndTests;

/// <summary>Log probabilities as OpenAI's clients read them, at both endpoints: the target's own.</summary>
public sealed class OpenAILogprobsTests(OpenAIFixture fixture) : IClassFixture<OpenAIFixture>
{
    private const string Question = "Why is the sky blue?";
    private const int MaxTokens = 30;
    private const int Top = 3;
    private const float Hot = 50f;

    private static readonly ImmutableArray<int> ChatPrompt =
        Prompt.Chat(ChatModels.Target.TextFormat, [new Inference.Tokenization.ChatMessage("user", Question)]);

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_BufferedAndStreamed_AreThoseOfAPlainLoop(string endpoint)
    {
        var options = Options();
        ChatCompletion whole = await Client(endpoint).CompleteChatAsync([new UserChatMessage(Question)], options, Deadline.Token);
        var tokens = PlainLoop(ChatPrompt, Hot);
        AssertEqual(PlainLogits.LogProbabilities(ChatModels.Target, ChatPrompt, tokens, Top), tokens, whole.ContentTokenLogProbabilities);

        List<ChatTokenLogProbabilityDetails> streamed = [];
        await foreach (var update in Client(endpoint).CompleteChatStreamingAsync(
            [new UserChatMessage(Question)], Options(), Deadline.Token))
        {
            streamed.AddRange(update.ContentTokenLogProbabilities);
        }

        Assert.Equal(whole.ContentTokenLogProbabilities.Select(Describe), streamed.Select(Describe));
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_StopString_TheTokensAreThoseOfTheText(string endpoint)
    {
        var client = Client(endpoint);
        ChatCompletion unstopped = await client.CompleteChatAsync([new UserChatMessage(Question)], Options(), Deadline.Token);
        var text = unstopped.Content[0].Text;
        var options = Options();
        options.StopSequences.Add(text.Substring(text.Length / 2, 3));
        ChatCompletion stopped = await client.CompleteChatAsync([new UserChatMessage(Question)], options, Deadline.Token);
        var all = unstopped.ContentTokenLogProbabilities;
        var some = stopped.ContentTokenLogProbabilities;
        Assert.InRange(some.Count, 1, all.Count - 1);
        Assert.Equal(all.Take(some.Count).Select(Describe), some.Select(Describe));

        // Each of them begins in the text; with the last one the text is complete.
        byte[] bytes = [.. some.SelectMany(token => token.Utf8Bytes!.Value.ToArray())];
        Assert.StartsWith(stopped.Content[0].Text, System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_NotAskedFor_ThereAreNone(string endpoint)
    {
        ChatCompletion whole = await Client(endpoint).CompleteChatAsync(
            [new UserChatMessage(Question)], new() { MaxOutputTokenCount = 4 }, Deadline.Token);
        Assert.Empty(whole.ContentTokenLogProbabilities);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Text_HasTheOlderShape(string endpoint)
    {
        using var http = new HttpClient();
        using var response = await http.PostAsync(
            new Uri(fixture.Address(endpoint), "v1/completions"),
            new StringContent("""{"prompt":"The sky","temperature":0,"max_tokens":6,"logprobs":2}""", new MediaTypeHeaderValue("application/json")),
            Deadline.Token);
        var choice = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Deadline.Token)).RootElement.GetProperty("choices")[0];
        var logprobs = choice.GetProperty("logprobs");
        var prompt = Prompt.Raw(ChatModels.Target.TextFormat, "The sky");
        var tokens = PlainLoop(prompt, temperature: 0, maxTokens: 6);
        var expected = PlainLogits.LogProbabilities(ChatModels.Target, prompt, tokens, 2);
        Assert.Equal(6, tokens.Length);
        for (var i = 0; i < 6; i++)
        {
            var text = ChatModels.Target.Tokenizer.Decode([tokens[i]]);
            Assert.Equal(text, logprobs.GetProperty("tokens")[i].GetString());
            Assert.Equal(expected[i].Chosen, logprobs.GetProperty("token_logprobs")[i].GetDouble(), 1e-5);
            Assert.Equal(expected[i].Chosen, logprobs.GetProperty("top_logprobs")[i].GetProperty(text).GetDouble(), 1e-5);
        }

        var offsets = logprobs.GetProperty("text_offset").EnumerateArray().Select(offset => offset.GetInt32()).ToArray();
        Assert.Equal(offsets.Order(), offsets);
        Assert.InRange(offsets[^1], 1, choice.GetProperty("text").GetString()!.Length);
    }

    private static ChatCompletionOptions Options() => new()
    {
        Temperature = Hot,
        Seed = 7,
        MaxOutputTokenCount = MaxTokens,
        IncludeLogProbabilities = true,
        TopLogProbabilityCount = Top,
    };

    private static ImmutableArray<int> PlainLoop(ImmutableArray<int> prompt, float temperature, int maxTokens = MaxTokens) =>
        TinyModels.PlainLoop(ChatModels.Target, new GenerationRequest
        {
            PromptTokens = prompt,
            MaxTokens = maxTokens,
            Sampling = new SamplingOptions { Temperature = temperature, Seed = 7 },
        });

    private static void AssertEqual(
        List<(double Chosen, (int Token, double LogProbability)[] Top)> expected,
        ImmutableArray<int> tokens,
        IReadOnlyList<ChatTokenLogProbabilityDetails> actual)
    {
        Assert.Equal(tokens.Length - (ChatModels.Target.Tokenizer.EndTokens.Contains(tokens[^1]) ? 1 : 0), actual.Count);
        for (var i = 0; i < actual.Count; i++)
        {
            Assert.Equal(ChatModels.Target.Tokenizer.TokenBytes(tokens[i]).ToArray(), actual[i].Utf8Bytes!.Value.ToArray());
            Assert.Equal(expected[i].Chosen, actual[i].LogProbability, 1e-5);
            Assert.Equal(
                expected[i].Top.Select(top => ChatModels.Target.Tokenizer.Decode([top.Token])),
                actual[i].TopLogProbabilities.Select(top => top.Token));
            Assert.All(expected[i].Top.Zip(actual[i].TopLogProbabilities), pair =>
                Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-5));
        }
    }

    private static (string, float) Describe(ChatTokenLogProbabilityDetails token) => (token.Token, token.LogProbability);

    private ChatClient Client(string endpoint) => new(
        OpenAIFixture.Model,
        new ApiKeyCredential("none"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(fixture.Address(endpoint), "v1"),
            RetryPolicy = new ClientRetryPolicy(0),
        });
}
