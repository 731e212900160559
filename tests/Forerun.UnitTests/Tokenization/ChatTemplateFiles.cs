using System.Text.Json;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

/// <summary>What the published templates write; origin in <c>tests/assets/chat-templates/README.md</c>.</summary>
public static class ChatTemplateFiles
{
    private const string Loop =
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private const string LoopStart = "{% for message in messages %}";

    private const string PromptDefault =
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}";

    private static readonly Dictionary<string, string> ChatMl = new()
    {
        ["chatml"] = LoopStart + Loop,
        ["chatml-begin"] = "{{bos_token}}" + LoopStart + Loop,
        ["chatml-begin-default"] = "{{bos_token}}" + LoopStart + Default("You are a helpful assistant.") + Loop,
        ["chatml-prompt-default"] = PromptDefault + LoopStart + Loop,
        ["smollm2"] = LoopStart
            + Default("You are a helpful AI assistant named SmolLM, trained by Hugging Face") + Loop,
        ["qwen2"] = LoopStart + Default("You are a helpful assistant.") + Loop,
    };

    /// <summary>The golden lines of each template.</summary>
    public static IReadOnlyList<IGrouping<string, JsonElement>> Goldens { get; } =
        [.. File.ReadLines(Path("goldens.jsonl")).Select(line => JsonElement.Parse(line)).GroupBy(line => Text(line, "template"))];

    /// <summary>The templates whose text is at hand, by name.</summary>
    public static IReadOnlyDictionary<string, string> Texts { get; } = Directory.GetFiles(Path(""), "*.jinja")
        .Select(file => (System.IO.Path.GetFileNameWithoutExtension(file), File.ReadAllText(file)))
        .Concat(ChatMl.Select(entry => (entry.Key, entry.Value))).ToDictionary();

    /// <summary>A template recognised in a file that has nothing else but begin and end token; null when the text is not
    /// known.</summary>
    public static ChatTemplate? From(string? text, string begin, string end, out string? problem)
    {
        using var file = new GgufBuilder().Set("tokenizer.chat_template", text)
            .Add("tokenizer.ggml.tokens", new[] { begin, end })
            .Add("tokenizer.ggml.bos_token_id", 0u).Add("tokenizer.ggml.eos_token_id", 1u).Open();
        return ChatTemplate.From(file, out problem);
    }

    /// <summary>The template of a golden line: by its text where that is at hand, else by the text's hash.</summary>
    public static ChatTemplate Template(JsonElement line)
    {
        var (begin, end) = (Text(line, "begin"), Text(line, "end"));
        return Texts.TryGetValue(Text(line, "template"), out var text)
            ? From(text, begin, end, out _)!
            : new ChatTemplate(KnownTemplate.FindByHash(Text(line, "sha256"))!, begin, end);
    }

    /// <summary>The messages of a golden line.</summary>
    public static ChatMessage[] Messages(JsonElement line) =>
        [.. line.GetProperty("messages").EnumerateArray().Select(
            message => new ChatMessage(Text(message, "role"), Text(message, "content")))];

    /// <summary>A text of a golden line.</summary>
    public static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

    private static string Default(string text) =>
        $"{{% if loop.first and messages[0]['role'] != 'system' %}}{{{{ '<|im_start|>system\n{text}<|im_end|>\n' }}}}{{% endif %}}";

    private static string Path(string name) => Repository.Path("tests", "assets", "chat-templates", name);
}
