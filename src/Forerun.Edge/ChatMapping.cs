using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.Generation;
using Microsoft.Extensions.AI;
using ChatTurn = Forerun.Inference.Tokenization.ChatMessage;

namespace Forerun.Edge;

/// <summary>Between Microsoft.Extensions.AI and the generator. What cannot be mapped is refused by name.</summary>
internal static class ChatMapping
{
    /// <summary>The request of a call.</summary>
    public static GenerationRequest ToRequest(
        TextGenerator generator, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        Refuse(options);
        var sampling = SamplingOptions.Default with
        {
            Temperature = options?.Temperature ?? SamplingOptions.Default.Temperature,
            TopP = options?.TopP ?? SamplingOptions.Default.TopP,
            TopK = options?.TopK ?? SamplingOptions.Default.TopK,
            Seed = options?.Seed is { } seed ? unchecked((ulong)seed) : NoiseSeed.Fresh(),
        };
        sampling.Validate();
        if (options?.MaxOutputTokens is < 1)
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.MaxOutputTokens, "MaxOutputTokens must be 1 or more.");
        }

        ChatTurn[] turns = [.. messages.Select(ToTurn)];
        return new GenerationRequest
        {
            PromptTokens = generator.ChatPrompt(
                options?.Instructions is { Length: > 0 } text ? [new ChatTurn("system", text), .. turns] : turns),
            Sampling = sampling,
            MaxTokens = options?.MaxOutputTokens ?? 0,
        };
    }

    /// <summary>The model that is asked for is the one that answers.</summary>
    /// <exception cref="NotSupportedException">It is another.</exception>
    public static void CheckModel(ChatOptions? options, string targetId)
    {
        if (options?.ModelId is { } model && !TargetNames.Match(model, targetId))
        {
            throw new NotSupportedException($"The model '{model}' is not here: the target is '{targetId}'.");
        }
    }

    /// <summary>Why a text ended, in their words.</summary>
    public static ChatFinishReason ToFinishReason(FinishReason reason) =>
        reason == FinishReason.Stop ? ChatFinishReason.Stop : ChatFinishReason.Length;

    /// <summary>What a text cost, in their words.</summary>
    public static UsageDetails ToUsage(GenerationRequest request, TextEnd end) => new()
    {
        InputTokenCount = request.PromptTokens.Length,
        OutputTokenCount = end.OutputTokens,
        TotalTokenCount = request.PromptTokens.Length + end.OutputTokens,
    };

    private static ChatTurn ToTurn(ChatMessage message)
    {
        if (message.Role != ChatRole.System && message.Role != ChatRole.User && message.Role != ChatRole.Assistant)
        {
            throw new NotSupportedException(
                $"A message has the role '{message.Role}': expected 'system', 'user' or 'assistant'.");
        }

        var other = message.Contents.FirstOrDefault(content => content is not TextContent);
        return other is null
            ? new ChatTurn(message.Role.Value, message.Text)
            : throw new NotSupportedException(
                $"A message holds '{other.GetType().Name}': expected text. The target reads nothing else.");
    }

    private static void Refuse(ChatOptions? options)
    {
        if (options is null)
        {
            return;
        }

        Refuse(options.ConversationId is not null, nameof(options.ConversationId), "Send the whole conversation.");
        Refuse(options.FrequencyPenalty is not null and not 0, nameof(options.FrequencyPenalty), "Leave it out.");
        Refuse(options.PresencePenalty is not null and not 0, nameof(options.PresencePenalty), "Leave it out.");
        Refuse(
            options.ResponseFormat is not null and not ChatResponseFormatText,
            nameof(options.ResponseFormat),
            "Ask for text.");
        Refuse(options.Tools is { Count: > 0 }, nameof(options.Tools), "Leave them out.");
        Refuse(options.Reasoning is not null, nameof(options.Reasoning), "Leave it out.");
        Refuse(options.ContinuationToken is not null, nameof(options.ContinuationToken), "Ask again from the start.");
    }

    private static void Refuse(bool isAsked, string name, string advice)
    {
        if (isAsked)
        {
            throw new NotSupportedException($"The chat option '{name}' is not supported. {advice}");
        }
    }
}
