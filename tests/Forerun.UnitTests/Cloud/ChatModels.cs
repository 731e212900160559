using System.Buffers.Binary;
using System.Text;
using Forerun.Inference;

namespace Forerun.UnitTests.Cloud;

/// <summary>The tiny models with a chat template (ChatML with a default system message) in their files.</summary>
public static class ChatModels
{
    private const int CountAt = 16;
    private const int EntriesAt = 24;
    private const int Alignment = 32;
    private const uint StringType = 8;

    private static readonly Lazy<string> LazyDraftPath = new(() => Write("smollm-gqa-tied-q4_0"));
    private static readonly Lazy<LanguageModel> LazyTarget = new(() => Load(Write("smollm-gqa-tied-q8_0")));
    private static readonly Lazy<LanguageModel> LazyDraft = new(() => Load(DraftPath));

    public static LanguageModel Target => LazyTarget.Value;

    public static LanguageModel Draft => LazyDraft.Value;

    public static string DraftPath => LazyDraftPath.Value;

    private static LanguageModel Load(string path) => LanguageModel.Load(path, new() { Threads = 1 });

    private static string Write(string name)
    {
        var bytes = File.ReadAllBytes(Repository.Path("tests", "assets", "tiny", name, "model.gguf"));
        BinaryPrimitives.WriteUInt64LittleEndian(
            bytes.AsSpan(CountAt), BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(CountAt)) + 1);

        // The entry's length is a multiple of the alignment, so that the tensors stay aligned.
        var excess = Entry("").Length % Alignment;
        var entry = Entry(new string('.', excess == 0 ? 0 : Alignment - excess));
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, [.. bytes[..EntriesAt], .. entry, .. bytes[EntriesAt..]]);
        return path;
    }

    private static byte[] Entry(string system)
    {
        var template = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
            + "{{ '<|im_start|>system\nBe brief" + system + "<|im_end|>\n' }}{% endif %}"
            + "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        WriteString("tokenizer.chat_template");
        writer.Write(StringType);
        WriteString(template);
        return stream.ToArray();

        void WriteString(string text)
        {
            var utf8 = Encoding.UTF8.GetBytes(text);
            writer.Write((ulong)utf8.Length);
            writer.Write(utf8);
        }
    }
}
