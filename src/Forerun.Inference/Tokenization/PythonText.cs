namespace Forerun.Inference.Tokenization;

/// <summary>What templates do with text, which means what it means in Python.</summary>
internal static class PythonText
{
    private const char FirstSeparator = '\u001C';
    private const char LastSeparator = '\u001F';

    /// <summary><c>str.strip()</c>: unlike .NET it also removes U+001C to U+001F.</summary>
    public static string Strip(string text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
        {
            start++;
        }

        return StripEnd(text[start..]);
    }

    /// <summary><c>str.rstrip()</c>.</summary>
    public static string StripEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[..end];
    }

    private static bool IsSpace(char value) =>
        char.IsWhiteSpace(value) || value is >= FirstSeparator and <= LastSeparator;
}
