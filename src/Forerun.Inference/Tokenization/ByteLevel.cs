using System.Collections.Immutable;
using System.Text;

namespace Forerun.Inference.Tokenization;

/// <summary>The alphabet of byte-level BPE: every byte written as one visible character (GPT-2's
/// <c>bytes_to_unicode</c>).</summary>
internal static class ByteLevel
{
    /// <summary>The character of each byte, <c>[256]</c>: itself where it is visible in Latin-1, else one from U+0100
    /// on.</summary>
    public static ImmutableArray<char> Characters { get; } = CreateCharacters();

    /// <summary>The byte of each character; -1 for characters outside the alphabet.</summary>
    private static readonly short[] Bytes =
        [.. Enumerable.Range(0, Characters.Max() + 1).Select(value => (short)Characters.IndexOf((char)value))];

    /// <summary>The bytes a token that is not special stands for; text with characters outside the alphabet stands for
    /// itself.</summary>
    public static byte[] BytesOf(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= Bytes.Length || Bytes[text[i]] < 0)
            {
                return Encoding.UTF8.GetBytes(text);
            }

            bytes[i] = (byte)Bytes[text[i]];
        }

        return bytes;
    }

    private static ImmutableArray<char> CreateCharacters()
    {
        var next = (char)0x100;
        return [.. Enumerable.Range(0, 256).Select(value => IsVisible((char)value) ? (char)value : next++)];
    }

    private static bool IsVisible(char value) =>
        value is (>= '!' and <= '~') or (>= '\u00A1' and <= '\u00AC') or (>= '\u00AE' and <= '\u00FF');
}
