namespace Forerun.Inference.Tokenization;

/// <summary>Recognises ChatML templates written in one line, which many models have, each with a default system text of
/// its own.</summary>
internal static class ChatMlTemplate
{
    private const string LoopStart = "{% for message in messages %}";

    private const string PromptDefault =
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}";

    private const string DefaultSystemStart =
        "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n";

    private const string DefaultSystemEnd = "<|im_end|>\n' }}{% endif %}";

    private const string LoopEnd =
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private static readonly string[] Begins = ["{{bos_token}}", "{{ bos_token }}"];

    /// <summary>The template of a text; null when it is no ChatML.</summary>
    public static KnownTemplate? Find(string text)
    {
        text = text.Replace("\\n", "\n", StringComparison.Ordinal);
        var begin = Array.Find(Begins, begin => text.StartsWith(begin, StringComparison.Ordinal)) ?? "";
        text = text[begin.Length..];
        text = text.StartsWith(PromptDefault, StringComparison.Ordinal) ? text[PromptDefault.Length..] : text;
        if (text == LoopStart + LoopEnd)
        {
            return Template(null, begin);
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
        return defaultSystemText.AsSpan().ContainsAny('\'', '\\') ? null : Template(defaultSystemText, begin);
    }

    private static KnownTemplate Template(string? defaultSystemText, string begin) => new(
        "ChatML", ChatFormats.ChatMl(defaultSystemText, begin.Length > 0), NeedsBegin: begin.Length > 0);
}
