using System.Collections.Frozen;
using System.Text;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Tokenization;

/// <summary>A template that was recognised.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Write">Writes what the template writes.</param>
/// <param name="NeedsBegin">Whether it writes the file's begin token.</param>
/// <param name="NeedsEnd">Whether it writes the file's end token.</param>
internal sealed record KnownTemplate(string Name, ChatFormat Write, bool NeedsBegin = false, bool NeedsEnd = false)
{
    /// <summary>What can be recognised, for messages.</summary>
    public const string Families = "ChatML, Llama-2, Llama-3, Llama-3.1, Llama-3.2, Mistral, Mixtral, Qwen 1.5 to 3, "
        + "Vicuna, Zephyr and TinyLlama";

    private static readonly KnownTemplate Qwen25 = new("Qwen2.5", ChatFormats.Qwen25);

    /// <summary>By the SHA-256 of the published text: one other letter, and it is another template.</summary>
    private static readonly FrozenDictionary<string, KnownTemplate> ByHash = new Dictionary<string, KnownTemplate>
    {
        ["7a2fad4301dcce93b13747dfd6ee5fa696dc12de86b85b86344bea8f649022b3"] = new("Qwen1.5", ChatFormats.Qwen15),
        ["55b2f4a26ac9ee719330a61a0c39d9e538b0e9322212f048326318cff4f8674a"] = Qwen25,
        ["4e9918361c284a93880606d182d64da6a9fe97cdc1f5c5a78c1c8840444246fc"] = Qwen25,
        ["87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5"] = new("Qwen3", Qwen3Format.Write),
        ["e8d5b5a546d3f19df16a5320c614fab05bdc4edd50e850f1afd947b503ea41cf"] =
            new("Llama-2", InstructionFormats.Llama2, NeedsBegin: true, NeedsEnd: true),
        ["ba03a121d097859c7b5b9cd03af99aafe95275210d2876f642ad9929a150f122"] =
            new("Llama-3", HeaderFormats.Llama3(alwaysPrompts: false), NeedsBegin: true),
        ["b48c47f6443892716176eb200bf4ef108f64e06ca26ed0fa8ebc0a4b3992fcb2"] =
            new("Llama-3", HeaderFormats.Llama3(alwaysPrompts: true), NeedsBegin: true),
        ["93c0e9aa3629bbd77e68dbc0f5621f6e6b23aa8d74b932595cdb8d64684526d7"] =
            new("Llama-3.1", HeaderFormats.Llama31, NeedsBegin: true),
        ["d82792f95932f1c9cef5c4bd992f171225e3bf8c7b609b4557c9e1ec96be819f"] =
            new("Llama-3.2", HeaderFormats.Llama31, NeedsBegin: true),
        ["7e995b379ec01747807246483647cd99030abf331653f1119e16d7ac041a3495"] =
            new("Mistral", InstructionFormats.Mistral(afterEnd: " "), NeedsBegin: true, NeedsEnd: true),
        ["26a59556925c987317ce5291811ba3b7f32ec4c647c400c6cc7e3a9993007ba7"] =
            new("Mistral", InstructionFormats.Mistral(afterEnd: ""), NeedsBegin: true, NeedsEnd: true),
        ["bbc58aad99454df60138be9530c9601a0adfe3d8932cda975e1f10b2410ddc51"] = new(
            "Mixtral-8x7B", InstructionFormats.MistralWithSystem(" [INST] ", " [/INST]", systemIsLast: false),
            NeedsBegin: true, NeedsEnd: true),
        ["ac888ea51c72437ddbd57032b819c5d04d76c313147e1f3f2add070493fac49c"] = new(
            "Mixtral-8x22B", InstructionFormats.MistralWithSystem("[INST] ", "[/INST]", systemIsLast: true),
            NeedsBegin: true, NeedsEnd: true),
        ["66291cf0045c2425a3a667cf3cbb7af2b11f09e025c02f97245323ab79119362"] =
            new("Zephyr", ChatFormats.Zephyr, NeedsEnd: true),
        ["f298c5c34dedb637a2a665ac409ad764cf3ffb5b2fd89d0e2fa0118a3dc21f1f"] = new("Vicuna", ChatFormats.Vicuna),
    }.ToFrozenDictionary();

    /// <summary>The template of a text; null when it is not known.</summary>
    /// <param name="text">The whole template, as it is in the file.</param>
    public static KnownTemplate? Find(string text)
    {
        var normal = Normalise(text);
        return FindByHash(Convert.ToHexStringLower(Sha256.Of(Encoding.UTF8.GetBytes(normal))))
            ?? ChatMlTemplate.Find(normal);
    }

    /// <summary>The template of a text that has a SHA-256; null when it is not known.</summary>
    public static KnownTemplate? FindByHash(string sha256) => ByHash.GetValueOrDefault(sha256);

    /// <summary>What a template means whatever the line ends, and without the one at the end, which is not
    /// written.</summary>
    private static string Normalise(string text)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        return text.EndsWith('\n') ? text[..^1] : text;
    }
}
