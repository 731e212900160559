using System.Text;
using Forerun.Core.Numerics;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>The hash by which edge and cloud know that their token ids mean the same.</summary>
internal static class TokenizerFingerprint
{
    private const int Bytes = 16;

    private static readonly string[] PerTokenKeys = ["tokens", "token_type", "scores"];

    private static readonly string[] Keys =
    [
        "model", "pre", "merges", "add_bos_token", "add_space_prefix", "bos_token_id", "eos_token_id", "unknown_token_id",
    ];

    /// <summary>The first 16 bytes of the SHA-256 over names, lengths and stored bytes, in hexadecimal. Padding of the
    /// vocabulary does not count.</summary>
    public static string Of(GgufMetadata metadata)
    {
        var hash = new Sha256();
        var size = Vocabulary.FindSize(metadata) ?? 0;
        foreach (var key in PerTokenKeys)
        {
            Append(key, size);
        }

        foreach (var key in Keys)
        {
            Append(key, int.MaxValue);
        }

        return Convert.ToHexStringLower(hash.Finish().AsSpan(0, Bytes));

        void Append(string key, int elements)
        {
            var value = metadata.RawBytes($"tokenizer.ggml.{key}", elements);
            hash.Append(Encoding.UTF8.GetBytes($"{key}:{value.Length}:"));
            hash.Append(value);
        }
    }
}
