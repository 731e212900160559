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
        if (!raw && model.ChatTemplate is null)
        {
            throw new InvalidOperationException(model.ChatTemplateProblem);
        }

        var text = raw ? prompt : model.ChatTemplate!.Render([new ChatMessage("user", prompt)], addGenerationPrompt: true);
        var tokens = model.Tokenizer.Encode(text);
        return model.Tokenizer.BeginToken is { } begin && (tokens.IsEmpty || tokens[0] != begin) ? [begin, .. tokens] : tokens;
    }
}
