using System.Collections.Immutable;
using Forerun.Inference.Tokenization;

namespace Forerun.Inference;

/// <summary>From what people write to prompt tokens, the begin token included where the model wants one.</summary>
public static class Prompt
{
    /// <summary>A conversation in the model's own format, the assistant's next turn opened.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template that is supported.</exception>
    public static ImmutableArray<int> Chat(LanguageModel model, IReadOnlyList<ChatMessage> messages) =>
        Raw(model, model.ChatTemplate is { } template
            ? template.Render(messages, addGenerationPrompt: true)
            : throw new InvalidOperationException(model.ChatTemplateProblem));

    /// <summary>A text as it is.</summary>
    public static ImmutableArray<int> Raw(LanguageModel model, string text)
    {
        var tokens = model.Tokenizer.Encode(text);
        return model.Tokenizer.BeginToken is { } begin && (tokens.IsEmpty || tokens[0] != begin) ? [begin, .. tokens] : tokens;
    }
}
