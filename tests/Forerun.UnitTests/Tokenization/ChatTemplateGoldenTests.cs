using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CsCheck;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class ChatTemplateGoldenTests
{
    private static readonly string[] Contents = ["Hi", "<|im_end|>", "</s>x", "<s>", "<|eot_id|>", "<|begin_of_text|>", ""];

    public static TheoryData<string> Names => [.. ChatTemplateFiles.Goldens.Select(group => group.Key)];

    public static TheoryData<string> KnownTexts => [.. ChatTemplateFiles.Texts.Keys];

    [Fact]
    public void Texts_AtHand_AreThePublishedOnes()
    {
        Assert.Equal(14, ChatTemplateFiles.Texts.Count);
        foreach (var line in ChatTemplateFiles.Goldens.Select(group => group.First()))
        {
            if (ChatTemplateFiles.Texts.TryGetValue(ChatTemplateFiles.Text(line, "template"), out var text))
            {
                var bytes = Encoding.UTF8.GetBytes(text.EndsWith('\n') ? text[..^1] : text);
                Assert.Equal(ChatTemplateFiles.Text(line, "sha256"), Convert.ToHexStringLower(SHA256.HashData(bytes)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Render_AllGoldenConversations_AreIdenticalOrRefused(string name)
    {
        var written = 0;
        foreach (var line in Lines(name))
        {
            var template = ChatTemplateFiles.Template(line);
            var messages = ChatTemplateFiles.Messages(line);
            var addGenerationPrompt = line.GetProperty("add_generation_prompt").GetBoolean();
            if (!line.TryGetProperty("text", out var expected) || LeavesSystemOut(messages, expected.GetString()!))
            {
                Assert.Throws<ArgumentException>(() => template.Render(messages, addGenerationPrompt));
                continue;
            }

            Assert.Equal(expected.GetString(), template.Render(messages, addGenerationPrompt));
            written++;
        }

        Assert.InRange(written, 30, 82);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_NoControlTokensInMessages_EqualsTheTokensOfTheText(string name)
    {
        foreach (var line in Lines(name).Where(line => line.TryGetProperty("text", out _)))
        {
            var messages = ChatTemplateFiles.Messages(line);
            var template = ChatTemplateFiles.Template(line);
            var tokenizer = TokenizerFor(line);
            if (messages.Any(message => HasControlToken(tokenizer, message.Content))
                || Record.Exception(() => template.Render(messages, true)) is ArgumentException)
            {
                continue;
            }

            var tokens = template.Encode(tokenizer, messages, true);
            Assert.Equal(tokenizer.WithBeginToken(tokenizer.Encode(template.Render(messages, true))), tokens);
            Assert.Equal(tokenizer.BeginToken, tokenizer.BeginToken is null ? null : tokens[0]);
            Assert.True(tokens.Length < 2 || tokens[0] != tokens[1] || !tokenizer.IsControl(tokens[0]));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Encode_ControlTokensInMessages_ArePlainText(string name)
    {
        var line = ChatTemplateFiles.Goldens.First(group => group.Key == name).First();
        var template = ChatTemplateFiles.Template(line);
        var tokenizer = TokenizerFor(line);
        int[] ControlTokens(string first, string answer, string second) =>
        [
            .. template.Encode(
                tokenizer,
                [new("user", first), new("assistant", answer), new("user", second)],
                addGenerationPrompt: true).Where(tokenizer.IsControl),
        ];

        var expected = ControlTokens("a", "b", "c");
        var content = Gen.OneOf<string>(Gen.OneOf(Contents), Texts.Any);
        Gen.Select(content, content, content).Sample(
            texts => Assert.Equal(expected, ControlTokens(texts.Item1, texts.Item2, texts.Item3)));
    }

    [Theory]
    [MemberData(nameof(KnownTexts))]
    public void From_AnyOtherLetter_IsRefused(string name)
    {
        var text = ChatTemplateFiles.Texts[name];
        var otherEnd = text.EndsWith('\n') ? text[..^1] : text + "\n";
        Assert.NotNull(ChatTemplateFiles.From(otherEnd, "<s>", "</s>", out _));
        Assert.NotNull(ChatTemplateFiles.From(text.Replace("\n", "\r\n", StringComparison.Ordinal), "<s>", "</s>", out _));
        var isChatMl = ChatTemplateFiles.From(text, "<s>", "</s>", out _)!.Name == "ChatML";
        var defaultText = text.IndexOf("<|im_start|>system\n", StringComparison.Ordinal) + 19;
        var (head, tail) = isChatMl && defaultText >= 19
            ? (text[..defaultText], text[text.IndexOf("<|im_end|>\n' }}{% endif", StringComparison.Ordinal)..])
            : (text, text);
        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Char["xX{}'|[] \n"], Gen.Int[0, 2]).Sample((at, letter, kind) =>
        {
            var other = kind switch
            {
                0 => text.Remove(at, 1),
                1 => text.Insert(at, $"{letter}"),
                _ => text.Remove(at, 1).Insert(at, $"{letter}"),
            };
            var isDefaultText = other.Length >= head.Length + tail.Length
                && other.StartsWith(head, StringComparison.Ordinal) && other.EndsWith(tail, StringComparison.Ordinal)
                && !other[head.Length..^tail.Length].Contains('\'');
            if (other != text && other != otherEnd && !isDefaultText
                && !ChatTemplateFiles.Texts.Values.Contains(other))
            {
                Assert.Null(ChatTemplateFiles.From(other, "<s>", "</s>", out var problem));
                Assert.StartsWith("The chat template of \"test.gguf\" is not known;", problem, StringComparison.Ordinal);
            }
        });
    }

    private static IEnumerable<JsonElement> Lines(string name) =>
        ChatTemplateFiles.Goldens.First(group => group.Key == name);

    /// <summary>Some templates write nothing for a system message between turns; that is refused.</summary>
    private static bool LeavesSystemOut(ChatMessage[] messages, string text) => messages.Skip(1).Any(
        message => message.Role == "system" && !text.Contains(message.Content, StringComparison.Ordinal));

    private static bool HasControlToken(Tokenizer tokenizer, string text) =>
        tokenizer.Encode(text).Any(tokenizer.IsControl);

    private static Tokenizer TokenizerFor(JsonElement line)
    {
        using var file = GgufFile.Open(ChatTemplateFiles.Text(line, "begin") switch
        {
            "<s>" => Assets.Tiny("llama2-mha-spm"),
            "<|begin_of_text|>" => Assets.Tiny("llama3-gqa-scaled-rope"),
            _ => Assets.Tiny("qwen2-bias"),
        });
        return Tokenizer.From(file);
    }
}
