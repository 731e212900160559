using System.ClientModel;
using System.ClientModel.Primitives;
using System.Collections.Immutable;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Models;

#pragma warning disable OPENAI001 // The seed is marked as a preview in the client.

namespace Forerun.EndToEndTests;

/// <summary>OpenAI's own client against the server and against the edge: both write the target's own text.</summary>
public class OpenAIClientTests(OpenAIFixture fixture) : IClassFixture<OpenAIFixture>
{
    private const string Question = "Why is the sky blue?";
    private const int MaxTokens = 30;

    // Random weights are sure of themselves: only at this temperature does the noise decide.
    private const float Hot = 50f;

    public static TheoryData<string, float, long> Cases => new(
        from endpoint in new[] { OpenAIFixture.AtServer, OpenAIFixture.AtEdge }
        from sampling in new[] { (0f, 0L), (Hot, 7L), (Hot, -3L) }
        select (endpoint, sampling.Item1, sampling.Item2));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Chat_BufferedAndStreamed_AreTheTargetsOwnText(string endpoint, float temperature, long seed)
    {
        var client = Client(endpoint);
        var options = Options(temperature, seed);
        var expected = Expected(temperature, seed);
        var tokens = PlainLoop(temperature, seed);
        var reason = ChatModels.Target.Tokenizer.EndTokens.Contains(tokens[^1])
            ? ChatFinishReason.Stop
            : ChatFinishReason.Length;
        ChatCompletion whole = await client.CompleteChatAsync([new UserChatMessage(Question)], options, Deadline.Token);
        Assert.Equal(expected, Assert.Single(whole.Content).Text);
        Assert.Equal((reason, OpenAIFixture.Model), (whole.FinishReason, whole.Model));
        Assert.Equal((PromptTokens.Length, tokens.Length), (whole.Usage.InputTokenCount, whole.Usage.OutputTokenCount));
        var streamed = await StreamAsync(client, options);
        Assert.Equal((expected, reason), (streamed.Text, streamed.Reason));
        Assert.Equal(whole.Usage.TotalTokenCount, streamed.Usage!.TotalTokenCount);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_StopString_EndsBeforeItWithTheSameUsageEverywhere(string endpoint)
    {
        var text = Expected(Hot, 7);
        var stop = text.Substring(text.Length / 2, 3);
        var options = Options(Hot, 7);
        options.StopSequences.Add(stop);
        ChatCompletion whole = await Client(endpoint).CompleteChatAsync(
            [new UserChatMessage(Question)], options, Deadline.Token);
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], Assert.Single(whole.Content).Text);
        Assert.Equal(ChatFinishReason.Stop, whole.FinishReason);
        Assert.Equal(TokensUpTo(stop), whole.Usage.OutputTokenCount);
        var streamed = await StreamAsync(Client(endpoint), options);
        Assert.Equal((whole.Content[0].Text, ChatFinishReason.Stop), (streamed.Text, streamed.Reason));
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_NoSeed_IsAnotherTextEachTime(string endpoint)
    {
        var options = new ChatCompletionOptions { Temperature = Hot, MaxOutputTokenCount = MaxTokens };
        var first = await StreamAsync(Client(endpoint), options);
        Assert.NotEqual(first.Text, (await StreamAsync(Client(endpoint), options)).Text);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_Cancelled_EndsTheSession(string endpoint)
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Deadline.Token);
        var options = new ChatCompletionOptions { Temperature = 0, Seed = 1 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Client(endpoint).CompleteChatStreamingAsync(
                [new UserChatMessage(Question)], options, cancellation.Token))
            {
                await cancellation.CancelAsync();
            }
        });
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Chat_UnknownModel_IsAClientError(string endpoint)
    {
        var exception = await Assert.ThrowsAsync<ClientResultException>(() => Client(endpoint, "gpt-4o")
            .CompleteChatAsync([new UserChatMessage(Question)], cancellationToken: Deadline.Token));
        Assert.Equal(404, exception.Status);
        Assert.Contains($"The model 'gpt-4o' is not served here: expected '{OpenAIFixture.Model}'.", exception.Message);
    }

    [Theory]
    [MemberData(nameof(OpenAIFixture.Endpoints), MemberType = typeof(OpenAIFixture))]
    public async Task Models_ListTheTarget(string endpoint)
    {
        var client = new OpenAIModelClient(new ApiKeyCredential("none"), ClientOptions(endpoint));
        OpenAIModelCollection models = await client.GetModelsAsync(Deadline.Token);
        Assert.Equal(OpenAIFixture.Model, Assert.Single(models).Id);
        OpenAIModel model = await client.GetModelAsync(OpenAIFixture.Model, Deadline.Token);
        Assert.Equal("forerun", model.OwnedBy);
    }

    private static ImmutableArray<int> PromptTokens =>
        Prompt.Chat(ChatModels.Target.TextFormat, [new Inference.Tokenization.ChatMessage("user", Question)]);

    private static ChatCompletionOptions Options(float temperature, long seed) =>
        new() { Temperature = temperature, Seed = seed, MaxOutputTokenCount = MaxTokens };

    /// <summary>The text of a plain loop over the target.</summary>
    private static string Expected(float temperature, long seed)
    {
        var stream = new TextStream(ChatModels.Target.Tokenizer);
        return string.Concat(PlainLoop(temperature, seed).Select(stream.Append)) + stream.Flush();
    }

    private static int TokensUpTo(string stop)
    {
        var stream = new TextStream(ChatModels.Target.Tokenizer);
        var text = "";
        return PlainLoop(Hot, 7).TakeWhile(token => !(text += stream.Append(token)).Contains(stop)).Count() + 1;
    }

    private static ImmutableArray<int> PlainLoop(float temperature, long seed) => TinyModels.PlainLoop(
        ChatModels.Target,
        new()
        {
            PromptTokens = PromptTokens,
            MaxTokens = MaxTokens,
            Sampling = new SamplingOptions { Temperature = temperature, Seed = unchecked((ulong)seed) },
        });

    private static async Task<(string Text, ChatFinishReason? Reason, ChatTokenUsage? Usage)> StreamAsync(
        ChatClient client, ChatCompletionOptions options)
    {
        var (text, reason, usage) = ("", default(ChatFinishReason?), default(ChatTokenUsage));
        await foreach (var update in client.CompleteChatStreamingAsync(
            [new UserChatMessage(Question)], options, Deadline.Token))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            reason ??= update.FinishReason;
            usage ??= update.Usage;
        }

        return (text, reason, usage);
    }

    private ChatClient Client(string endpoint, string? model = null) =>
        new(model ?? OpenAIFixture.Model, new ApiKeyCredential("none"), ClientOptions(endpoint));

    private OpenAIClientOptions ClientOptions(string endpoint) => new()
    {
        Endpoint = new Uri(fixture.Address(endpoint), "v1"),
        RetryPolicy = new ClientRetryPolicy(0),
    };
}
