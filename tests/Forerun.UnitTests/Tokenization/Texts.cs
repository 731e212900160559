using System.Text;
using CsCheck;

namespace Forerun.UnitTests.Tokenization;

/// <summary>Random texts that look for trouble: words, digits, spaces of all kinds, letters beyond U+FFFF, halves of
/// pairs, special tokens and pieces of them.</summary>
public static class Texts
{
    private static readonly string[] Pieces =
    [
        "hello", " the", "'s", "'ll", "'", "don't", "7", "42", "½", "Ⅳ", " ", "  ", "\t", "\n", "\r\n", "\u00A0",
        "\u3000", "\u2028", "é", "e\u0301", "中文", "русский", "𝒳𝒴", "𝟗", "😀", "\uD83D", "\uDE00", "\0", "\u0085",
        "\uFEFF", "_", "...", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_", "|>", "'S", "'LL", "'Ve", "'ſ", "!\n", " ...\r\n", "1234", "</s>", "\u2581",
    ];

    /// <summary>Any string, unpaired surrogates included.</summary>
    public static Gen<string> Any { get; } =
        Gen.OneOf<string>(Gen.OneOf(Pieces), Gen.String[0, 8]).Array[0, 12].Select(string.Concat);

    /// <summary>What UTF-8 makes of a string: each unpaired surrogate becomes U+FFFD.</summary>
    public static string WithoutLoneSurrogates(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
}
