using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class TokenizerGoldenTests
{
    public static TheoryData<string, string> Files => new()
    {
        { Assets.Target, Repository.Path("models", "smollm2-135m-instruct", "golden", "tokenizer.jsonl") },
        { Assets.DraftModel, Repository.Path("models", "smollm2-135m-instruct", "golden", "tokenizer.jsonl") },
        { Assets.Tiny("smollm-gqa-tied-q4_1"), Tiny("smollm-gqa-tied-q4_1") },
        { Assets.Tiny("llama-gpt2-tokenizer"), Tiny("llama-gpt2-tokenizer") },
        { Assets.Tiny("llama3-gqa-scaled-rope"), Tiny("llama3-gqa-scaled-rope") },
        { Assets.Tiny("qwen2-bias"), Tiny("qwen2-bias") },
        { Assets.Tiny("qwen3-qknorm"), Tiny("qwen2-bias") },
        { Assets.Tiny("llama2-mha-spm"), Tiny("llama2-mha-spm") },
        { Assets.Tiny("llama-gqa-linear-rope"), Tiny("llama2-mha-spm") },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void EncodeAndDecode_AllReferenceTexts_AreIdentical(string model, string golden)
    {
        using var file = GgufFile.Open(model);
        var tokenizer = Tokenizer.From(file);
        foreach (var line in File.ReadLines(golden).Select(line => JsonElement.Parse(line)))
        {
            var text = line.GetProperty("text").GetString()!;
            int[] ids = [.. line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            ImmutableArray<int> encoded = tokenizer.Encode(text);
            Assert.Equal(ids, tokenizer.BeginToken is { } begin ? [begin, .. encoded] : encoded);
            Assert.Equal(line.GetProperty("decoded").GetString(), tokenizer.Decode(encoded.AsSpan()));
            Assert.Equal(line.GetProperty("decoded").GetString(), Stream(tokenizer, encoded));
        }
    }

    [Fact]
    public void Render_AllReferenceConversations_AreIdentical()
    {
        using var file = GgufFile.Open(Assets.Target);
        var tokenizer = Tokenizer.From(file);
        var template = ChatTemplate.From(file, out var problem);
        Assert.NotNull(template);
        Assert.Null(problem);
        var golden = Repository.Path("models", "smollm2-135m-instruct", "golden", "chat.jsonl");
        foreach (var line in File.ReadLines(golden).Select(line => JsonElement.Parse(line)))
        {
            var turns = line.GetProperty("messages").EnumerateArray();
            ChatMessage[] messages = [.. turns.Select(message => new ChatMessage(
                message.GetProperty("role").GetString()!, message.GetProperty("content").GetString()!))];
            var addGenerationPrompt = line.GetProperty("add_generation_prompt").GetBoolean();
            var text = template.Render(messages, addGenerationPrompt);
            Assert.Equal(line.GetProperty("text").GetString(), text);
            int[] ids = [.. line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            Assert.Equal(ids, tokenizer.Encode(text));
            if (!messages.Any(message => tokenizer.Encode(message.Content).Any(tokenizer.IsControl)))
            {
                Assert.Equal(ids, template.Encode(tokenizer, messages, addGenerationPrompt));
            }
        }
    }

    private static string Stream(Tokenizer tokenizer, ImmutableArray<int> tokens)
    {
        var stream = new TextStream(tokenizer, showControlTokens: true);
        return string.Concat(tokens.Select(stream.Append)) + stream.Flush();
    }

    private static string Tiny(string folder) =>
        Repository.Path("tests", "assets", "tiny", folder, "tokenizer.jsonl");
}
