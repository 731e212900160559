using System.Globalization;
using System.Text;

namespace Forerun.Inference.Tokenization;

/// <summary>What the pre-tokenizers' patterns tell apart: <c>\p{L}</c>, <c>\p{N}</c>, <c>\s</c> and the rest.</summary>
/// <remarks>The patterns are written by hand because .NET's regular expressions see UTF-16 units, so letters beyond
/// U+FFFF would be no letters.</remarks>
internal enum CharacterKind
{
    Letter,
    Number,
    Space,
    Other,
}

/// <summary>Reads kinds of characters in valid UTF-8.</summary>
internal static class CharacterKinds
{
    /// <summary>The kind of the character at a byte index, and its length in bytes.</summary>
    public static CharacterKind At(ReadOnlySpan<byte> text, int index, out int bytes)
    {
        Rune.DecodeFromUtf8(text[index..], out var rune, out bytes);
        return Rune.IsWhiteSpace(rune) ? CharacterKind.Space : Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => CharacterKind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber =>
                CharacterKind.Number,
            _ => CharacterKind.Other,
        };
    }

    /// <summary>Where a run of one kind ends.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the run starts.</param>
    /// <param name="kind">The kind.</param>
    /// <param name="maxCharacters">The run ends after this many.</param>
    public static int RunEnd(
        ReadOnlySpan<byte> text, int start, CharacterKind kind, int maxCharacters = int.MaxValue)
    {
        var end = start;
        for (var count = 0; count < maxCharacters && end < text.Length && At(text, end, out var bytes) == kind; count++)
        {
            end += bytes;
        }

        return end;
    }

    /// <summary>Length of <c>\s+(?!\S)|\s+</c> at the start: all spaces at the end of the text; before something else
    /// all but the last one, which belongs to what follows or stands alone.</summary>
    public static int Spaces(ReadOnlySpan<byte> text)
    {
        var (end, last) = (0, 0);
        while (end < text.Length && At(text, end, out var bytes) == CharacterKind.Space)
        {
            (end, last) = (end + bytes, end);
        }

        return end == text.Length || last == 0 ? end : last;
    }
}
