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
        "The chat template of \"test.gguf\" is not supported; ChatML is. Use --raw to give the prompt as it is.")]
    [InlineData(null, "\"test.gguf\" has no chat template. Use --raw to give the prompt as it is.")]
    public void From_NoUsableTemplate_SaysWhatToDo(string? template, string expected)
    {
        Assert.Null(From(template, out var problem));
        Assert.Equal(expected, problem);
    }

    private static ChatTemplate? From(string? template, out string? problem)
    {
        using var file = new GgufBuilder().Set("tokenizer.chat_template", template).Open();
        return ChatTemplate.From(file, out problem);
    }
}
