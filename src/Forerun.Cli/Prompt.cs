using System.Collections.Immutable;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli;

/// <summary>From what a user types to prompt tokens.</summary>
internal static class Prompt
{
    /// <summary>The prompt as one user message of a conversation, or as it is.</summary>
    /// <exception cref="InvalidOperationException">The model has no chat template that is supported.</exception>
    public static ImmutableArray<int> Tokens(TextFormat model, string prompt, bool raw)
    {
        var tokenizer = model.Tokenizer;
        return raw ? tokenizer.WithBeginToken(tokenizer.Encode(prompt))
            : model.ChatTemplate is { } template
                ? template.Encode(tokenizer, [new ChatMessage("user", prompt)], addGenerationPrompt: true)
                : throw new InvalidOperationException(model.ChatTemplateProblem);
    }
}
