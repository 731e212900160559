using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.EdgeOnly;
using Forerun.Edge.Generation;
using Forerun.Inference.Drafting;
using Forerun.Protocol;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.AI;

namespace Forerun.UnitTests.Edge;

/// <summary>The draft model alone: its own text, asked for by name, and never in the target's place unseen.</summary>
public class EdgeOnlyTests
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 30,
        Mode = DecodingMode.EdgeOnly,
        IgnoreEndTokens = true,
    };

    [Theory]
    [InlineData(0f)]
    [InlineData(0.9f)]
    public async Task EdgeOnly_IsTheDraftModelsOwnText(float temperature)
    {
        var request = Request with { Sampling = new SamplingOptions { Temperature = temperature, TopP = 0.9f, Seed = 4 } };
        var generation = await new EdgeDecoder(new EdgeOnlyVerifier(TinyModels.Draft)).CompleteAsync(request, Deadline.Token);
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Draft, request), generation.Tokens);
        Assert.Equal(FinishReason.Length, generation.End.Reason);
        Assert.Equal((0, 30, 8), (generation.End.Usage.TargetPasses, generation.End.Usage.OutputTokens, generation.End.Usage.PromptTokens));
    }

    [Fact]
    public async Task EdgeOnly_PromptRepeatsItself_IsTheDraftModelsOwnTextToo()
    {
        const int repeated = 77;
        var request = Request with { PromptTokens = [.. TinyModels.Prompt, repeated, .. TinyModels.Prompt] };
        var own = TinyModels.PlainLoop(TinyModels.Draft, request);
        Assert.NotEqual(repeated, own[0]);
        var generation = await new EdgeDecoder(new EdgeOnlyVerifier(TinyModels.Draft)).CompleteAsync(request, Deadline.Token);
        Assert.Equal(own, generation.Tokens);
    }

    [Fact]
    public async Task EdgeOnly_FullContext_EndsThereAndALongerPromptIsRefused()
    {
        var decoder = new EdgeDecoder(new EdgeOnlyVerifier(TinyModels.ShortTarget));
        var generation = await decoder.CompleteAsync(Request with { MaxTokens = 0 }, Deadline.Token);
        Assert.Equal(FinishReason.ContextFull, generation.End.Reason);
        Assert.Equal(TinyModels.ShortContext, generation.Tokens.Length + Request.PromptTokens.Length);
        var tooLong = Request with { PromptTokens = [.. Enumerable.Repeat(20, TinyModels.ShortContext)] };
        var error = await Assert.ThrowsAsync<ProtocolException>(() => decoder.CompleteAsync(tooLong, Deadline.Token));
        Assert.Equal(VerificationErrorCode.PromptTooLong, error.Error.Code);
    }

    [Fact]
    public async Task EdgeOnly_AndATarget_RefuseEachOther()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var byTarget = await Assert.ThrowsAsync<ProtocolException>(
            () => new EdgeDecoder(new LocalVerifier(scheduler)).CompleteAsync(Request, Deadline.Token));
        var byDraft = await Assert.ThrowsAsync<ProtocolException>(() => new EdgeDecoder(new EdgeOnlyVerifier(TinyModels.Draft))
            .CompleteAsync(Request with { Mode = DecodingMode.Autoregressive }, Deadline.Token));
        Assert.Equal(VerificationErrorCode.BadMode, byTarget.Error.Code);
        Assert.Equal(VerificationErrorCode.BadMode, byDraft.Error.Code);
        Assert.Throws<ArgumentOutOfRangeException>(() => OpenMapping.ToMessage(new Opening
        {
            Request = Request,
            TokenizerFingerprint = "x",
        }));
    }

    [Theory]
    [InlineData(DecodingMode.Speculative, 0)]
    [InlineData(DecodingMode.Speculative, 3)]
    [InlineData(DecodingMode.Pipelined, 2)]
    public async Task Fallback_GoesOnFromTheHistoryAndSaysSo(DecodingMode mode, int verdicts)
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var lost = new LostVerifier(new LocalVerifier(scheduler), verdicts);
        var request = Request with { Mode = mode };
        await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => new EdgeDecoder(lost, drafter).CompleteAsync(request, Deadline.Token));

        var options = new EdgeDecoderOptions { Fallback = new EdgeOnlyVerifier(TinyModels.Draft) };
        var rounds = new List<DecodedRound>();
        await foreach (var round in new EdgeDecoder(lost, drafter, options).GenerateAsync(request, Deadline.Token))
        {
            rounds.Add(round);
        }

        Assert.Equal(verdicts, rounds.TakeWhile(round => round.Loss is null).Count());
        Assert.All(rounds.Skip(verdicts), round => Assert.Equal(VerificationErrorCode.Unreachable, round.Loss!.Code));
        ImmutableArray<int> own = [.. rounds.Take(verdicts).SelectMany(round => round.Tokens)];
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, request).Take(own.Length), own);
        var rest = request with { PromptTokens = [.. request.PromptTokens, .. own], MaxTokens = request.MaxTokens - own.Length };
        Assert.Equal(
            TinyModels.PlainLoop(TinyModels.Draft, rest),
            rounds.Skip(verdicts).SelectMany(round => round.Tokens).ToImmutableArray());
        Assert.Equal(Enumerable.Range(1, rounds.Count), rounds.Select(round => round.Round));
        Assert.Equal((30, verdicts), (rounds[^1].End!.Usage.OutputTokens, rounds[^1].End!.Usage.TargetPasses));
    }

    [Fact]
    public async Task ChatClient_AskedForEdgeOnly_NamesTheDraftModel()
    {
        var generator = new TextGenerator(
            new EdgeOnlyVerifier(ChatModels.Draft), ChatModels.Draft.TextFormat, options: new() { Mode = DecodingMode.EdgeOnly });
        using var client = new ForerunChatClient(generator);
        var response = await client.GetResponseAsync("hello", new ChatOptions { MaxOutputTokens = 12 }, Deadline.Token);
        Assert.Equal(ChatModels.Draft.Id, response.ModelId);
        var prompt = generator.ChatPrompt([new Forerun.Inference.Tokenization.ChatMessage("user", "hello")]);
        var tokens = TinyModels.PlainLoop(ChatModels.Draft, new() { PromptTokens = prompt, MaxTokens = 12 });
        Assert.Equal(ChatModels.Draft.Tokenizer.Decode(tokens.AsSpan()), response.Text);
    }

    /// <summary>A verifier whose connection breaks after some verdicts of each generation; 0 = it cannot be reached.</summary>
    private sealed class LostVerifier(IVerifier inner, int verdicts) : IVerifier
    {
        private static VerifierUnavailableException Lost { get; } =
            VerifierUnavailableException.Unreachable(new Uri("http://127.0.0.1:9"), TimeSpan.Zero, 1, "gone");

        public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
            inner.DescribeAsync(cancellationToken);

        public async ValueTask<IVerification> OpenAsync(
            GenerationRequest request, CancellationToken cancellationToken = default) =>
            verdicts == 0 ? throw Lost : new Verification(await inner.OpenAsync(request, cancellationToken), verdicts);

        private sealed class Verification(IVerification inner, int left) : IVerification
        {
            private int _left = left;

            public WireBytes Bytes => inner.Bytes;

            public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default) =>
                inner.SendAsync(draft, cancellationToken);

            public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default) =>
                inner.StreamAsync(throughRound, cancellationToken);

            public ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default) =>
                _left-- == 0 ? throw Lost : inner.ReadAsync(cancellationToken);

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
