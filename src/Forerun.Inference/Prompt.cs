using System.Collections.Immutable;
using Forerun.Inference.Tokenization;

namespace Forerun.Inference;

/// <summary>From what people write to prompt tokens, the begin token included where the model wants one.</summary>
public static class Prompt
{
    /// <summary>A conversation in the model's own format, the assistant's next turn opened.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template that is supported.</exception>
    /// <exception cref="ArgumentException">The template refuses the conversation.</exception>
    public static ImmutableArray<int> Chat(TextFormat format, IReadOnlyList<ChatMessage> messages) =>
        format.ChatTemplate is { } template
            ? template.Encode(format.Tokenizer, messages, addGenerationPrompt: true)
            : throw new InvalidOperationException(format.ChatTemplateProblem);

    /// <summary>A text as it is.</summary>
    public static ImmutableArray<int> Raw(TextFormat format, string text) =>
        format.Tokenizer.WithBeginToken(format.Tokenizer.Encode(text));

    /// <summary>A text as one user message of a conversation, or as it is.</summary>
    /// <inheritdoc cref="Chat"/>
    public static ImmutableArray<int> User(TextFormat format, string text, bool raw) =>
        raw ? Raw(format, text) : Chat(format, [new ChatMessage("user", text)]);
}
