using System.Collections.Immutable;

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

    /// <summary>The bytes of a token's text; false when a character is not of this alphabet.</summary>
    /// <param name="text">The token's text.</param>
    /// <param name="destination">Receives one byte per character, <c>[text.Length]</c> or longer.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] >= Bytes.Length || Bytes[text[i]] < 0)
            {
                return false;
            }

            destination[i] = (byte)Bytes[text[i]];
        }

        return true;
    }

    private static ImmutableArray<char> CreateCharacters()
    {
        var next = (char)0x100;
        return [.. Enumerable.Range(0, 256).Select(value => IsVisible((char)value) ? (char)value : next++)];
    }

    private static bool IsVisible(char value) =>
        value is (>= '!' and <= '~') or (>= '\u00A1' and <= '\u00AC') or (>= '\u00AE' and <= '\u00FF');
}
