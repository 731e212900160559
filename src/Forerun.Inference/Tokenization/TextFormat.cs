using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>How text becomes token ids: a model file's tokenizer and chat template, without its weights. Immutable and
/// thread-safe.</summary>
/// <param name="Tokenizer">Text to token ids and back.</param>
/// <param name="ChatTemplate">How a conversation becomes a prompt; null when there is no template that is supported.
/// </param>
/// <param name="ChatTemplateProblem">Why <paramref name="ChatTemplate"/> is null, and what to do; null otherwise.</param>
public sealed record TextFormat(Tokenizer Tokenizer, ChatTemplate? ChatTemplate, string? ChatTemplateProblem)
{
    /// <summary>Reads the head of a GGUF file; it needs no tensors.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is damaged, or its tokenizer is not supported.</exception>
    public static TextFormat Read(string path)
    {
        using var file = GgufFile.Open(path);
        var template = ChatTemplate.From(file, out var problem);
        return new TextFormat(Tokenizer.From(file), template, problem);
    }
}
