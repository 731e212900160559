using System.Text;
using Forerun.Core.Sampling;
using Forerun.Edge.Generation;
using Forerun.Inference.Tokenization;
using Forerun.OpenAI.Wire;

namespace Forerun.OpenAI;

/// <summary>The JSON of log probabilities, as chat or as text.</summary>
internal sealed class LogprobsShape
{
    private readonly bool _isChat;
    private readonly Tokenizer _tokenizer;

    private LogprobsShape(bool isChat, Tokenizer tokenizer)
    {
        _isChat = isChat;
        _tokenizer = tokenizer;
    }

    /// <summary>The shape that a request wants; null when it asks for none.</summary>
    public static LogprobsShape? Create(CompletionRequest request, Tokenizer tokenizer) => request.LikeliestTokens is null
        ? null
        : new LogprobsShape(request is ChatCompletionRequest, tokenizer);

    /// <summary>Of these tokens.</summary>
    public ChoiceLogprobs Of(IReadOnlyList<TextToken> tokens) => _isChat
        ? new ChatLogprobs([.. tokens.Select(ToChat)])
        : new TextLogprobs(
            [.. tokens.Select(token => TextOf(token.Token))],
            [.. tokens.Select(token => token.LogProbabilities.Chosen)],
            [.. tokens.Select(ByText)],
            [.. tokens.Select(token => token.Start)]);

    private OutputLogprob ToChat(TextToken token)
    {
        var (chosen, top) = token.LogProbabilities;
        var (text, logprob, bytes) = ToToken(new TokenLogProbability(token.Token, chosen));
        return new OutputLogprob(text, logprob, bytes, [.. top.Select(ToToken)]);
    }

    private TokenLogprob ToToken(TokenLogProbability token) =>
        new(TextOf(token.Token), token.LogProbability, [.. _tokenizer.TokenBytes(token.Token).ToArray().Select(value => (int)value)]);

    /// <summary>Where two tokens have the same text, the likelier one stands.</summary>
    private Dictionary<string, float> ByText(TextToken token)
    {
        var byText = new Dictionary<string, float>();
        foreach (var (likely, logProbability) in token.LogProbabilities.Top)
        {
            byText.TryAdd(TextOf(likely), logProbability);
        }

        byText.TryAdd(TextOf(token.Token), token.LogProbabilities.Chosen);
        return byText;
    }

    private string TextOf(int token) => Encoding.UTF8.GetString(_tokenizer.TokenBytes(token));
}
