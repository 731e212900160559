namespace Forerun.Inference.Tokenization;

/// <summary>GPT-2's pattern: <c>'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.</summary>
internal static class Gpt2Pattern
{
    /// <summary>Length of the match at the start of a text that is not empty.</summary>
    public static int Match(ReadOnlySpan<byte> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        var start = text[0] == ' ' && text.Length > 1 ? 1 : 0;
        var kind = CharacterKinds.At(text, start, out _);
        return kind == CharacterKind.Space ? CharacterKinds.Spaces(text) : CharacterKinds.RunEnd(text, start, kind);
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
}
