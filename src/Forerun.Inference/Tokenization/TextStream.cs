using System.Text;

namespace Forerun.Inference.Tokenization;

/// <summary>Turns tokens into text as they come, never half a character. One caller at a time.</summary>
/// <remarks>All texts together equal <see cref="Tokenizer.Decode"/> of the tokens shown, invalid bytes
/// included.</remarks>
/// <param name="tokenizer">Knows the tokens' bytes.</param>
/// <param name="showControlTokens">Whether control tokens appear as their text; otherwise they are skipped.</param>
public sealed class TextStream(Tokenizer tokenizer, bool showControlTokens = false)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private bool _isFirst = true;

    /// <summary>The text that became certain with this token; may be empty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public string Append(int token)
    {
        if (tokenizer.IsControl(token) && !showControlTokens)
        {
            return "";
        }

        var bytes = tokenizer.TextBytes(token, _isFirst);
        _isFirst = false;
        return Decode(bytes, flush: false);
    }

    /// <summary>Ends the text: U+FFFD for a character that never became whole, else empty.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        return new string(characters[.._decoder.GetChars(bytes, characters, flush)]);
    }
}
