using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Cloud;

/// <summary>The tiny models with more rows in embedding and head than the tokenizer has tokens. A padding row is a real
/// row, four times as large: were it counted, it would win.</summary>
internal static class PaddedModels
{
    private const int Tokens = 640;

    /// <summary>Loads a padded model; the caller disposes of it.</summary>
    /// <param name="folder">A model whose blocks start with their scale.</param>
    /// <param name="rows">Rows of padding, at most 640.</param>
    /// <param name="tokens">What the tokenizer says of the rows; null = nothing, it is shorter than the head.</param>
    public static LanguageModel Load(string folder, int rows, TokenType? tokens)
    {
        var builder = GgufBuilder.Read(File.ReadAllBytes(Assets.Tiny(folder)));
        builder.SetRows("token_embd.weight", Pad(builder.Data("token_embd.weight"), BlockBytes(folder), rows));
        if (tokens is { } type)
        {
            AddTokens(builder, rows, type);
        }

        // Some files tell the padded size.
        builder.Set("llama.vocab_size", (uint)(Tokens + rows));
        return LanguageModel.Load(GgufFile.FromBytes(builder.Build(), folder), new() { Threads = 1 });
    }

    private static int BlockBytes(string folder) =>
        BlockFormat.Of(folder.EndsWith("q8_0", StringComparison.Ordinal) ? GgufTensorType.Q8_0 : GgufTensorType.Q4_0).Bytes;

    private static byte[] Pad(byte[] rows, int blockBytes, int count)
    {
        var padding = rows[..(rows.Length / Tokens * count)];
        for (var block = 0; block < padding.Length; block += blockBytes)
        {
            var scale = BitConverter.ToHalf(padding, block);
            BitConverter.TryWriteBytes(padding.AsSpan(block), scale * (Half)4f);
        }

        return [.. rows, .. padding];
    }

    private static void AddTokens(GgufBuilder builder, int count, TokenType type)
    {
        var texts = (string[])builder.Value("tokenizer.ggml.tokens");
        var types = (int[])builder.Value("tokenizer.ggml.token_type");
        builder.Set(
            "tokenizer.ggml.tokens",
            (string[])[.. texts, .. Enumerable.Range(Tokens, count).Select(token => $"[PAD{token}]")]);
        builder.Set("tokenizer.ggml.token_type", (int[])[.. types, .. Enumerable.Repeat((int)type, count)]);
    }
}
