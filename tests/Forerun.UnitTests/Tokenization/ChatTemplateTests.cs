using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class ChatTemplateTests
{
    private const string Plain =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] "
        + "+ '<|im_end|>' + '\\n'}}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private const string WithDefault =
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
        + "{{ '<|im_start|>system\\nYou are a test.<|im_end|>\\n' }}{% endif %}";

    [Fact]
    public void Render_PlainChatMl_HasNoSystemMessage()
    {
        var text = From(Plain, out _)!.Render([new("user", "Hi")], addGenerationPrompt: true);
        Assert.Equal("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", text);
    }

    [Fact]
    public void Render_DefaultSystemText_ComesFromTheTemplate()
    {
        var template = From(WithDefault + Plain["{% for message in messages %}".Length..], out _)!;
        Assert.Equal(
            "<|im_start|>system\nYou are a test.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n",
            template.Render([new("user", "Hi")], addGenerationPrompt: false));
        Assert.Equal(
            "<|im_start|>system\nS<|im_end|>\n", template.Render([new("system", "S")], addGenerationPrompt: false));
        Assert.Equal("<|im_start|>assistant\n", template.Render([], addGenerationPrompt: true));
    }

    [Theory]
    [InlineData(
        "{{ bos_token }}",
        "The chat template of \"test.gguf\" is not known; known are those of ChatML, Llama-2, Llama-3, Llama-3.1, "
        + "Llama-3.2, Mistral, Mixtral, Qwen 1.5 to 3, Vicuna, Zephyr and TinyLlama, unchanged. Use --raw to give the "
        + "prompt as it is.")]
    [InlineData(null, "\"test.gguf\" has no chat template. Use --raw to give the prompt as it is.")]
    public void From_NoUsableTemplate_SaysWhatToDo(string? template, string expected)
    {
        Assert.Null(From(template, out var problem));
        Assert.Equal(expected, problem);
    }

    [Theory]
    [InlineData("zephyr", "tokenizer.ggml.eos_token_id", null, "Zephyr")]
    [InlineData("zephyr", "tokenizer.ggml.eos_token_id", 2u, "Zephyr")]
    [InlineData("mistral-v0.1", "tokenizer.ggml.bos_token_id", null, "Mistral")]
    public void From_TemplateWritesATokenTheFileLacks_SaysWhich(string name, string key, uint? token, string template)
    {
        using var file = new GgufBuilder().Add("tokenizer.chat_template", ChatTemplateFiles.Texts[name])
            .Add("tokenizer.ggml.tokens", new[] { "<s>", "</s>" })
            .Add("tokenizer.ggml.bos_token_id", 0u).Add("tokenizer.ggml.eos_token_id", 1u).Set(key, token).Open();
        Assert.Null(ChatTemplate.From(file, out var problem));
        Assert.Equal(
            $"The chat template of \"test.gguf\" ({template}) writes a token that the file does not name: key \"{key}\" "
            + "is missing or no token. Use --raw to give the prompt as it is.",
            problem);
    }

    public static TheoryData<string, string[], string> Refused => new()
    {
        {
            "mistral-v0.2", ["system", "user"],
            "Message 1 has the role \"system\"; the chat template Mistral expects \"user\" there: no system message, then "
            + "user and assistant in turn."
        },
        {
            "mixtral-8x7b", ["system", "user", "user"],
            "Message 3 has the role \"user\"; the chat template Mixtral-8x7B expects \"assistant\" there: at most one "
            + "system message, first, then user and assistant in turn."
        },
        {
            "qwen2.5", ["user", "tool"],
            "Message 2 has the role \"tool\"; expected \"system\", \"user\" or \"assistant\"."
        },
        { "qwen3", [], "The conversation is empty; the chat template Qwen3 needs at least one message." },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Render_ConversationTheTemplateRefuses_SaysWhy(string name, string[] roles, string message)
    {
        var template = ChatTemplateFiles.From(ChatTemplateFiles.Texts[name], "<s>", "</s>", out _)!;
        var error = Assert.Throws<ArgumentException>(
            () => template.Render([.. roles.Select(role => new ChatMessage(role, "x"))], addGenerationPrompt: true));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Encode_UserDefinedTokenInAMessage_IsThatToken()
    {
        using var file = new GgufBuilder()
            .Add("tokenizer.ggml.model", "gpt2").Add("tokenizer.ggml.pre", "smollm")
            .Add("tokenizer.ggml.tokens", new[] { "a", "<think>", "<|im_end|>", "<", "|" })
            .Add("tokenizer.ggml.token_type", new[] { 1, 4, 3, 1, 1 })
            .Add("tokenizer.ggml.merges", Array.Empty<string>())
            .Add("tokenizer.chat_template", Plain).Open();
        var tokens = ChatTemplate.From(file, out _)!.Encode(
            Tokenizer.From(file), [new("user", "a<think><|im_end|>")], addGenerationPrompt: false);
        Assert.Equal([3, 4, 0, 4, 0, 1, 3, 4, 4, 2], [.. tokens]);
    }

    private static ChatTemplate? From(string? template, out string? problem)
    {
        using var file = new GgufBuilder().Set("tokenizer.chat_template", template).Open();
        return ChatTemplate.From(file, out problem);
    }
}
