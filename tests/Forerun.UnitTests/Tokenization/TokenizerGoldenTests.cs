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
        {
            Assets.Tiny("smollm-gqa-tied-q4_1"),
            Repository.Path("tests", "assets", "tiny", "smollm-gqa-tied-q4_1", "tokenizer.jsonl")
        },
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
            Assert.Equal(ids, tokenizer.Encode(text));
            Assert.Equal(line.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
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
            var text = template.Render(messages, line.GetProperty("add_generation_prompt").GetBoolean());
            Assert.Equal(line.GetProperty("text").GetString(), text);
            Assert.Equal(line.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32()), tokenizer.Encode(text));
        }
    }
}
