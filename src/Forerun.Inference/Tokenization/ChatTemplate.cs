using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>One turn of a conversation.</summary>
/// <param name="Role">Who speaks: <c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="Content">What is said.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>How a model wants a conversation written down: ChatML, with or without a default system message. Templates
/// are recognised, not run. Immutable and thread-safe.</summary>
public sealed class ChatTemplate
{
    private const string Key = "tokenizer.chat_template";
    private const string LoopStart = "{% for message in messages %}";

    private const string DefaultSystemStart =
        "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n";

    private const string DefaultSystemEnd = "<|im_end|>\n' }}{% endif %}";

    private const string LoopEnd =
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private readonly string? _defaultSystemText;

    private ChatTemplate(string? defaultSystemText) => _defaultSystemText = defaultSystemText;

    /// <summary>Recognises a model's chat template.</summary>
    /// <param name="file">The model file.</param>
    /// <param name="problem">Why there is no template, and what to do instead; null when there is one.</param>
    /// <returns>The template; null when the file has none or one that is not supported.</returns>
    public static ChatTemplate? From(GgufFile file, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(file);
        var text = file.Metadata.FindString(Key);
        var template = text is null ? null : Recognise(text);
        problem = template is not null ? null
            : text is null ? $"\"{file.Name}\" has no chat template. Use --raw to give the prompt as it is."
            : $"The chat template of \"{file.Name}\" is not supported; ChatML is. "
                + "Use --raw to give the prompt as it is.";
        return template;
    }

    /// <summary>Writes a conversation down. A default system message comes first when the model has one and the first
    /// message is not a system one.</summary>
    /// <param name="messages">The turns so far; with none at all there is no system message either.</param>
    /// <param name="addGenerationPrompt">Whether the assistant's next turn is opened.</param>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var text = new StringBuilder();
        if (_defaultSystemText is not null && messages.Count > 0 && messages[0].Role != "system")
        {
            Append(text, new ChatMessage("system", _defaultSystemText));
        }

        foreach (var message in messages)
        {
            Append(text, message);
        }

        return addGenerationPrompt ? text.Append("<|im_start|>assistant\n").ToString() : text.ToString();
    }

    private static ChatTemplate? Recognise(string text)
    {
        text = text.Replace("\\n", "\n", StringComparison.Ordinal);
        if (text == LoopStart + LoopEnd)
        {
            return new ChatTemplate(null);
        }

        const string start = LoopStart + DefaultSystemStart;
        const string end = DefaultSystemEnd + LoopEnd;
        if (text.Length < start.Length + end.Length
            || !text.StartsWith(start, StringComparison.Ordinal)
            || !text.EndsWith(end, StringComparison.Ordinal))
        {
            return null;
        }

        var defaultSystemText = text[start.Length..^end.Length];
        return defaultSystemText.AsSpan().ContainsAny('\'', '\\') ? null : new ChatTemplate(defaultSystemText);
    }

    private static void Append(StringBuilder text, ChatMessage message) =>
        text.Append("<|im_start|>").Append(message.Role).Append('\n').Append(message.Content).Append("<|im_end|>\n");
}
