using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatTurn = Forerun.Inference.Tokenization.ChatMessage;

namespace Forerun.UnitTests.Edge;

public sealed class ForerunChatClientTests : IDisposable
{
    private const int MaxTokens = 30;

    // Random weights are sure of themselves: only at this temperature does the noise decide.
    private const float Hot = 50f;
    private readonly VerificationScheduler _scheduler = new(ChatModels.Target);
    private readonly ModelDrafter _drafter = new(ChatModels.Draft);
    private readonly ForerunChatClient _client;

    public ForerunChatClientTests() =>
        _client = new ForerunChatClient(new TextGenerator(new LocalVerifier(_scheduler), ChatModels.Draft.TextFormat, [_drafter]));

    public static TheoryData<ChatOptions, string> Unsupported => new()
    {
        { new() { ConversationId = "1" }, "The chat option 'ConversationId' is not supported. Send the whole conversation." },
        { new() { FrequencyPenalty = 1 }, "The chat option 'FrequencyPenalty' is not supported. Leave it out." },
        { new() { PresencePenalty = 1 }, "The chat option 'PresencePenalty' is not supported. Leave it out." },
        { new() { ResponseFormat = ChatResponseFormat.Json }, "The chat option 'ResponseFormat' is not supported. Ask for text." },
        { new() { Tools = [AIFunctionFactory.Create(() => 1)] }, "The chat option 'Tools' is not supported. Leave them out." },
        { new() { Reasoning = new() }, "The chat option 'Reasoning' is not supported. Leave it out." },
    };

    [Theory]
    [InlineData(0f, 0)]
    [InlineData(Hot, 5)]
    public async Task GetResponse_WritesTheTargetsOwnText(float temperature, long seed)
    {
        var options = new ChatOptions
        {
            Temperature = temperature,
            TopP = 0.9f,
            Seed = seed,
            MaxOutputTokens = MaxTokens,
            Instructions = "Hum.",
        };
        var request = new GenerationRequest
        {
            PromptTokens = Prompt.Chat(ChatModels.Target.TextFormat, [new ChatTurn("system", "Hum."), new ChatTurn("user", "Why?")]),
            MaxTokens = MaxTokens,
            Sampling = new SamplingOptions { Temperature = temperature, TopP = 0.9f, Seed = (ulong)seed },
        };
        var expected = TinyModels.PlainLoop(ChatModels.Target, request);
        var response = await _client.GetResponseAsync("Why?", options, Deadline.Token);
        Assert.Equal(TextOf(expected), response.Text);
        Assert.Equal(ChatFinishReason.Length, response.FinishReason);
        Assert.Equal(ChatModels.Target.Id, response.ModelId);
        Assert.Equal((request.PromptTokens.Length, MaxTokens), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
        var streamed = "";
        await foreach (var update in _client.GetStreamingResponseAsync("Why?", options, Deadline.Token))
        {
            streamed += update.Text;
        }

        Assert.Equal(response.Text, streamed);
    }

    [Fact]
    public async Task GetResponse_StopSequence_EndsBeforeIt()
    {
        var options = new ChatOptions { Temperature = Hot, Seed = 3, MaxOutputTokens = MaxTokens };
        var whole = (await _client.GetResponseAsync("Why?", options, Deadline.Token)).Text;
        var stop = whole.Substring(whole.Length / 2, 3);
        options.StopSequences = [stop];
        var response = await _client.GetResponseAsync("Why?", options, Deadline.Token);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.InRange(response.Usage!.OutputTokenCount!.Value, 1, MaxTokens - 1);
    }

    [Fact]
    public async Task GetResponse_ManyAtOnce_ShareTheDrafterAndKeepTheirTexts()
    {
        string[] prompts = [.. Enumerable.Range(0, 8).Select(i => $"Question {i}")];
        var options = new ChatOptions { Seed = 1, Temperature = Hot, MaxOutputTokens = 12 };
        var together = await Task.WhenAll(prompts.Select(prompt => _client.GetResponseAsync(prompt, options, Deadline.Token)));
        foreach (var (prompt, response) in prompts.Zip(together))
        {
            Assert.Equal((await _client.GetResponseAsync(prompt, options, Deadline.Token)).Text, response.Text);
        }
    }

    [Fact]
    public async Task GetStreamingResponse_LeavingTheLoop_EndsTheSessionAndFreesTheDrafter()
    {
        await foreach (var _ in _client.GetStreamingResponseAsync("Why?", cancellationToken: Deadline.Token))
        {
            break;
        }

        Assert.Equal(0, _scheduler.SessionCount);
        Assert.NotEmpty((await _client.GetResponseAsync("Why?", new() { MaxOutputTokens = 2 }, Deadline.Token)).Messages);
    }

    [Fact]
    public async Task GetResponse_NoSeed_IsAnotherTextEachTime()
    {
        var options = new ChatOptions { Temperature = Hot, MaxOutputTokens = MaxTokens };
        var first = await _client.GetResponseAsync("Why?", options, Deadline.Token);
        Assert.NotEqual(first.Text, (await _client.GetResponseAsync("Why?", options, Deadline.Token)).Text);
    }

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void GetStreamingResponse_UnsupportedOption_IsRefusedByName(ChatOptions options, string message)
    {
        var exception = Assert.Throws<NotSupportedException>(() => _client.GetStreamingResponseAsync("Why?", options, Deadline.Token));
        Assert.Equal(message, exception.Message);
    }

    [Fact]
    public async Task GetResponse_OtherModelContentOrRole_IsRefused()
    {
        Task<ChatResponse> AskAsync(ChatMessage message, ChatOptions? options = null) =>
            _client.GetResponseAsync([message], options, Deadline.Token);

        var exception = await Assert.ThrowsAsync<NotSupportedException>(
            () => AskAsync(new(ChatRole.User, "Why?"), new() { ModelId = "gpt" }));
        Assert.Equal($"The model 'gpt' is not here: the target is '{ChatModels.Target.Id}'.", exception.Message);
        exception = await Assert.ThrowsAsync<NotSupportedException>(
            () => AskAsync(new(ChatRole.User, [new DataContent("data:image/png;base64,AA==")])));
        Assert.Equal("A message holds 'DataContent': expected text. The target reads nothing else.", exception.Message);
        exception = await Assert.ThrowsAsync<NotSupportedException>(() => AskAsync(new(ChatRole.Tool, "Why?")));
        Assert.Equal("A message has the role 'tool': expected 'system', 'user' or 'assistant'.", exception.Message);
    }

    [Fact]
    public async Task GetResponse_TooManyWaiting_IsRefused()
    {
        using var gate = new ManualResetEventSlim();
        var generator = new TextGenerator(
            new LocalVerifier(_scheduler), ChatModels.Draft.TextFormat, [new GatedDrafter(gate)], new() { Mode = DecodingMode.Speculative, MaxQueued = 0 });
        using var client = new ForerunChatClient(generator);
        var options = new ChatOptions { MaxOutputTokens = 4 };
        var first = Task.Run(() => client.GetResponseAsync("Why?", options, Deadline.Token), Deadline.Token);
        var deadline = Deadline.Token;
        while (_scheduler.SessionCount == 0)
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => client.GetResponseAsync("Why?", options, Deadline.Token));
        Assert.Equal(
            "Too many generations wait for a drafter on this machine. Try again later. "
            + "Expected at most 1 running and 0 waiting, got one more.",
            exception.Message);
        gate.Set();
        await first;
    }

    [Fact]
    public void ForerunEdgeOptions_DraftModel_IsLoadedAsTheProgramDoes() =>
        Assert.Equal(ModelLoadOptions.Draft, new ForerunEdgeOptions { Server = new("http://127.0.0.1:9"), DraftModelPath = "" }.Engine);

    [Fact]
    public async Task AddForerunChatClient_ResolvesOneClientForAll()
    {
        await using var services = new ServiceCollection()
            .AddForerunChatClient(new() { Server = new("http://127.0.0.1:9"), DraftModelPath = ChatModels.DraftPath })
            .BuildServiceProvider();
        var client = services.GetRequiredService<IChatClient>();
        Assert.Same(client, services.GetRequiredService<IChatClient>());
        Assert.Equal("forerun", client.GetService<ChatClientMetadata>()!.ProviderName);
        await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => client.GetResponseAsync("Why?", cancellationToken: Deadline.Token));
    }

    public void Dispose()
    {
        _scheduler.Dispose();
        _drafter.Dispose();
        _client.Dispose();
    }

    private static string TextOf(IEnumerable<int> tokens)
    {
        var stream = new TextStream(ChatModels.Target.Tokenizer);
        return string.Concat(tokens.Select(stream.Append)) + stream.Flush();
    }

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
