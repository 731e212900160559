using System.Globalization;
using System.Text;

namespace Forerun.Inference.Tokenization;

/// <summary>The pre-tokenizer called <c>smollm</c>: every digit stands alone; what lies between digits is split by
/// GPT-2's pattern.</summary>
/// <remarks>The pattern: <c>'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>. Written by
/// hand because .NET's regular expressions see UTF-16 units, so letters beyond U+FFFF would be no letters.</remarks>
internal static class SmolLmPreTokenizer
{
    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>Splits valid UTF-8 into pieces, in order and without gaps.</summary>
    public static Enumerator Split(ReadOnlySpan<byte> text) => new(text);

    /// <summary>Length of the first run: a digit, or everything up to the next digit.</summary>
    private static int DigitOrRunWithoutDigits(ReadOnlySpan<byte> text)
    {
        if (KindAt(text, 0, out var digitBytes) == Kind.Number)
        {
            return digitBytes;
        }

        var end = 0;
        while (end < text.Length && KindAt(text, end, out var bytes) != Kind.Number)
        {
            end += bytes;
        }

        return end;
    }

    /// <summary>Length of the pattern's match at the start.</summary>
    private static int FirstPiece(ReadOnlySpan<byte> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        var start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        var kind = KindAt(text, start, out _);
        return kind == Kind.Space ? Spaces(text) : RunEnd(text, start, kind);
    }

    private static int Contraction(ReadOnlySpan<byte> text)
    {
        if (text[0] != '\'')
        {
            return 0;
        }

        var rest = text[1..];
        return rest.StartsWith("ll"u8) || rest.StartsWith("ve"u8) || rest.StartsWith("re"u8) ? 3
            : rest.Length > 0 && "sdmt"u8.Contains(rest[0]) ? 2
            : 0;
    }

    /// <summary>All spaces at the end of the text; before something else all but the last one, which belongs to what
    /// follows or stands alone.</summary>
    private static int Spaces(ReadOnlySpan<byte> text)
    {
        var (end, last) = (0, 0);
        while (end < text.Length && KindAt(text, end, out var bytes) == Kind.Space)
        {
            (end, last) = (end + bytes, end);
        }

        return end == text.Length || last == 0 ? end : last;
    }

    private static int RunEnd(ReadOnlySpan<byte> text, int start, Kind kind)
    {
        var end = start;
        while (end < text.Length && KindAt(text, end, out var bytes) == kind)
        {
            end += bytes;
        }

        return end;
    }

    private static Kind KindAt(ReadOnlySpan<byte> text, int index, out int bytes)
    {
        Rune.DecodeFromUtf8(text[index..], out var rune, out bytes);
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Rune.GetUnicodeCategory(rune) switch
        {
            <= UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber =>
                Kind.Number,
            _ => Kind.Other,
        };
    }

    /// <summary>Walks over the pieces.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _run;
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> text) => _rest = text;

        /// <summary>The piece.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>The enumerator of a <c>foreach</c>.</summary>
        public readonly Enumerator GetEnumerator() => this;

        /// <summary>Goes to the next piece.</summary>
        public bool MoveNext()
        {
            if (_run.IsEmpty && !_rest.IsEmpty)
            {
                var length = DigitOrRunWithoutDigits(_rest);
                _run = _rest[..length];
                _rest = _rest[length..];
            }

            if (_run.IsEmpty)
            {
                return false;
            }

            var piece = FirstPiece(_run);
            Current = _run[..piece];
            _run = _run[piece..];
            return true;
        }
    }
}
