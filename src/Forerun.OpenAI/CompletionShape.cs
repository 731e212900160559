using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;
using Forerun.OpenAI.Wire;

namespace Forerun.OpenAI;

/// <summary>The JSON of one completion, whole or in pieces, as chat or as text.</summary>
internal sealed class CompletionShape
{
    private const string Assistant = "assistant";
    private readonly bool _isChat;
    private readonly int _promptTokens;
    private readonly LogprobsShape? _logprobs;

    /// <param name="isChat">Chat, else text.</param>
    /// <param name="target">Who answers.</param>
    /// <param name="promptTokens">Tokens of the prompt.</param>
    /// <param name="created">When it was asked for.</param>
    /// <param name="logprobs">Writes log probabilities; null = there are none.</param>
    public CompletionShape(
        bool isChat, TargetDescription target, int promptTokens, DateTimeOffset created, LogprobsShape? logprobs)
    {
        _logprobs = logprobs;
        _isChat = isChat;
        _promptTokens = promptTokens;
        Empty = new Completion
        {
            Id = $"{(isChat ? "chatcmpl" : "cmpl")}-{Guid.NewGuid():N}",
            Object = isChat ? "chat.completion" : "text_completion",
            Created = created.ToUnixTimeSeconds(),
            Model = target.TargetId,
            SystemFingerprint = target.NumericsId,
            Choices = [],
        };
    }

    private Completion Empty { get; set; }

    /// <summary>The target is lost: from here on the draft model answers, and every piece says so. No piece can be mistaken
    /// for the target's, nor can the whole.</summary>
    /// <param name="draftModel">Its id.</param>
    /// <param name="degradation">Why, and since when.</param>
    public void Degrade(string draftModel, Degradation degradation) => Empty = Empty with
    {
        Model = draftModel,
        SystemFingerprint = "edge-only",
        Degraded = degradation,
    };

    /// <summary>The whole answer.</summary>
    public Completion Whole(string text, IReadOnlyList<TextToken> tokens, TextEnd end) => Empty with
    {
        Choices =
        [
            new Choice
            {
                Message = _isChat ? new ResponseMessage(Assistant, text) : null,
                Text = _isChat ? null : text,
                Logprobs = _logprobs?.Of(tokens),
                FinishReason = ReasonOf(end),
            },
        ],
        Usage = UsageOf(end),
    };

    /// <summary>The first piece: who speaks. Text completions have none.</summary>
    public Completion? Start() => _isChat ? Piece(new ResponseMessage(Assistant, "")) : null;

    /// <summary>A piece of text, and the tokens that begin in it.</summary>
    public Completion Delta(string text, IReadOnlyList<TextToken> tokens) =>
        Piece(new ResponseMessage(null, text), tokens: tokens);

    /// <summary>The last piece of text: why it ended.</summary>
    public Completion Finish(TextEnd end) => Piece(new ResponseMessage(null, _isChat ? null : ""), ReasonOf(end));

    /// <summary>The piece after the last one: what it cost.</summary>
    public Completion Totals(TextEnd end) => Chunk([]) with { Usage = UsageOf(end) };

    private static string ReasonOf(TextEnd end) => end.Reason == FinishReason.Stop ? "stop" : "length";

    private CompletionUsage UsageOf(TextEnd end) =>
        new(_promptTokens, end.OutputTokens, _promptTokens + end.OutputTokens);

    private Completion Piece(
        ResponseMessage message, string? finishReason = null, IReadOnlyList<TextToken>? tokens = null) => Chunk(
    [
        new Choice
        {
            Delta = _isChat ? message : null,
            Text = _isChat ? null : message.Content,
            Logprobs = tokens is null ? null : _logprobs?.Of(tokens),
            FinishReason = finishReason,
        },
    ]);

    private Completion Chunk(ImmutableArray<Choice> choices) => Empty with
    {
        Object = _isChat ? "chat.completion.chunk" : Empty.Object,
        Choices = choices,
    };
}
