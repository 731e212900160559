using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>How a model wants a conversation written down. Templates are recognised by their whole text, not run: one
/// that differs from a known one is refused. Immutable and thread-safe.</summary>
/// <remarks>Written is what the template writes without tools. Llama 3.1 and 3.2 get the date that their templates fall
/// back to, 26 Jul 2024, so that the same conversation is the same text on every day.</remarks>
public sealed class ChatTemplate
{
    private const string Key = "tokenizer.chat_template";
    private const string BeginKey = "tokenizer.ggml.bos_token_id";
    private const string EndKey = "tokenizer.ggml.eos_token_id";
    private readonly KnownTemplate _template;
    private readonly string _beginText;
    private readonly string _endText;

    internal ChatTemplate(KnownTemplate template, string? beginText, string? endText) =>
        (_template, _beginText, _endText) = (template, beginText ?? "", endText ?? "");

    /// <summary>What the template is called, such as "ChatML" or "Llama-3.1".</summary>
    public string Name => _template.Name;

    /// <summary>Recognises a model's chat template.</summary>
    /// <param name="file">The model file.</param>
    /// <param name="problem">Why there is no template, and what to do instead; null when there is one.</param>
    /// <returns>The template; null when the file has none or one that is not supported.</returns>
    public static ChatTemplate? From(GgufFile file, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(file);
        const string advice = "Use --raw to give the prompt as it is.";
        if (file.Metadata.FindString(Key) is not { } text)
        {
            problem = $"\"{file.Name}\" has no chat template. {advice}";
            return null;
        }

        if (KnownTemplate.Find(text) is not { } template)
        {
            problem = $"The chat template of \"{file.Name}\" is not known; known are those of {KnownTemplate.Families}, "
                + $"unchanged. {advice}";
            return null;
        }

        var (begin, end) = (TokenText(file.Metadata, BeginKey), TokenText(file.Metadata, EndKey));
        var missing = template.NeedsBegin && begin is null ? BeginKey : template.NeedsEnd && end is null ? EndKey : null;
        problem = missing is null ? null
            : $"The chat template of \"{file.Name}\" ({template.Name}) writes a token that the file does not name: key "
                + $"\"{missing}\" is missing or no token. {advice}";
        return missing is null ? new ChatTemplate(template, begin, end) : null;
    }

    /// <summary>Writes a conversation down. A default system message comes first when the template has one and the first
    /// message is not a system one.</summary>
    /// <param name="messages">The turns so far.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's next turn is opened, where the template tells.</param>
    /// <returns>The text, control tokens as their text. <see cref="Encode"/> also keeps them apart from what messages
    /// say.</returns>
    /// <exception cref="ArgumentException">The template refuses the conversation: an unknown role, a system message
    /// where it takes none, turns not in turn, no message at all.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) =>
        string.Concat(Write(messages, addGenerationPrompt).Select(part => part.Text));

    /// <summary>The tokens of a conversation, the begin token first if template or tokenizer want it, never twice.
    /// Control tokens come from the template alone: written in a message they are plain text.</summary>
    /// <param name="tokenizer">The tokenizer of the same file.</param>
    /// <param name="messages">The turns so far.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's next turn is opened, where the template tells.</param>
    /// <exception cref="ArgumentException">As for <see cref="Render"/>.</exception>
    public ImmutableArray<int> Encode(
        Tokenizer tokenizer, IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.WithBeginToken(tokenizer.EncodeParts(Write(messages, addGenerationPrompt)));
    }

    private IReadOnlyList<TextPart> Write(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var writer = new ConversationWriter(_beginText, _endText);
        _template.Write(new Conversation(Name, messages, addGenerationPrompt).Checked(), writer);
        return writer.Parts;
    }

    private static string? TokenText(GgufMetadata metadata, string key) =>
        metadata.FindInt32(key) is { } token && metadata.FindStrings("tokenizer.ggml.tokens") is { } tokens
            && token >= 0 && token < tokens.Count
                ? Encoding.UTF8.GetString(tokens[token])
                : null;
}
