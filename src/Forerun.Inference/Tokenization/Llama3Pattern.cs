namespace Forerun.Inference.Tokenization;

/// <summary>Llama-3's pattern: <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
/// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>. Qwen2's differs in one place: <c>\p{N}</c>.</summary>
internal static class Llama3Pattern
{
    /// <summary>Length of the match at the start of a text that is not empty.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxDigits">How many numbers make one piece.</param>
    public static int Match(ReadOnlySpan<byte> text, int maxDigits)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        var kind = CharacterKinds.At(text, 0, out var bytes);
        return kind switch
        {
            CharacterKind.Letter => CharacterKinds.RunEnd(text, 0, kind),
            CharacterKind.Number => CharacterKinds.RunEnd(text, 0, kind, maxDigits),
            _ when text[0] is not (byte)'\r' and not (byte)'\n' && IsKind(text, bytes, CharacterKind.Letter) =>
                CharacterKinds.RunEnd(text, bytes, CharacterKind.Letter),
            CharacterKind.Other => OthersAndLineEnds(text, 0),
            _ when text[0] == ' ' && IsKind(text, bytes, CharacterKind.Other) => OthersAndLineEnds(text, bytes),
            _ => SpacesUpToLineEnd(text),
        };
    }

    private static bool IsKind(ReadOnlySpan<byte> text, int index, CharacterKind kind) =>
        index < text.Length && CharacterKinds.At(text, index, out _) == kind;

    private static int OthersAndLineEnds(ReadOnlySpan<byte> text, int start)
    {
        var end = CharacterKinds.RunEnd(text, start, CharacterKind.Other);
        var lineEnds = text[end..].IndexOfAnyExcept((byte)'\r', (byte)'\n');
        return lineEnds < 0 ? text.Length : end + lineEnds;
    }

    private static int SpacesUpToLineEnd(ReadOnlySpan<byte> text)
    {
        var end = CharacterKinds.RunEnd(text, 0, CharacterKind.Space);
        var lineEnd = text[..end].LastIndexOfAny((byte)'\r', (byte)'\n');
        return lineEnd < 0 ? CharacterKinds.Spaces(text) : lineEnd + 1;
    }

    /// <summary>Ignoring case also means the long s, U+017F, as Unicode folds it.</summary>
    private static int Contraction(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || text[0] != '\'')
        {
            return 0;
        }

        if (text[1..].StartsWith("ſ"u8))
        {
            return 3;
        }

        var first = (byte)(text[1] | 0x20);
        var second = text.Length > 2 ? (byte)(text[2] | 0x20) : default;
        return (first, second) is ((byte)'l', (byte)'l') or ((byte)'v', (byte)'e') or ((byte)'r', (byte)'e') ? 3
            : "sdmt"u8.Contains(first) ? 2
            : 0;
    }
}
