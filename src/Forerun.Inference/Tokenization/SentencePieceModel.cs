using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>SentencePiece BPE as Llama-2 uses it: symbols are characters, spaces are U+2581, two neighbours merge when
/// together they are a token, best score first, and characters without a token fall back to their bytes.</summary>
internal sealed class SentencePieceModel : IBytePairModel
{
    private const string ScoresKey = "tokenizer.ggml.scores";
    private const char Space = '\u2581';
    private const int StackCharacters = 256;
    private readonly ImmutableArray<string> _texts;
    private readonly Dictionary<string, int> _ids = [];
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly int?[] _byteTokens = new int?[256];
    private readonly int[] _ranks;
    private readonly int? _unknownToken;
    private readonly int _longestText;

    private SentencePieceModel(Vocabulary vocabulary, ImmutableArray<string> texts, int[] ranks, int? unknownToken)
    {
        (_texts, _ranks, _unknownToken) = (texts, ranks, unknownToken);
        for (var token = 0; token < texts.Length; token++)
        {
            if (vocabulary.Type(token) == TokenType.Normal)
            {
                _ids.TryAdd(texts[token], token);
                _longestText = Math.Max(_longestText, texts[token].Length);
            }
            else if (vocabulary.Type(token) == TokenType.Byte && ByteOf(texts[token]) is { } value)
            {
                _byteTokens[value] ??= token;
            }
        }

        _lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <inheritdoc/>
    public bool AddsSpace { get; private init; }

    /// <summary>Reads the scores: one for each token.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="texts">The tokens as they are written in the file.</param>
    /// <param name="unknownToken">The token of a character that has neither a token nor bytes; null = left out.</param>
    public static SentencePieceModel Read(
        GgufMetadata metadata, Vocabulary vocabulary, ImmutableArray<string> texts, int? unknownToken)
    {
        var scores = metadata.FindSingleArray(ScoresKey) ?? throw metadata.Invalid($"key \"{ScoresKey}\" is missing.");
        if (scores.Length != texts.Length)
        {
            throw metadata.Invalid(
                $"key \"{ScoresKey}\" has {scores.Length} entries; expected one for each of the {texts.Length} tokens.");
        }

        var rankOf = scores.Distinct().OrderDescending().Select((score, rank) => (score, rank))
            .ToDictionary(entry => entry.score, entry => entry.rank);
        return new SentencePieceModel(vocabulary, texts, [.. scores.Select(score => rankOf[score])], unknownToken)
        {
            AddsSpace = metadata.FindBoolean("tokenizer.ggml.add_space_prefix") ?? true,
        };
    }

    /// <summary>The bytes a token that is not special stands for.</summary>
    public static byte[] BytesOf(string text, TokenType type) => type switch
    {
        TokenType.Byte when ByteOf(text) is { } value => [value],
        TokenType.Normal or TokenType.Unused => Encoding.UTF8.GetBytes(text.Replace(Space, ' ')),
        _ => Encoding.UTF8.GetBytes(text),
    };

    /// <inheritdoc/>
    public Merge? MergeOf(int left, int right)
    {
        var (first, second) = (_texts[left], _texts[right]);
        var length = first.Length + second.Length;
        if (length > _longestText || !IsOwn(left) || !IsOwn(right))
        {
            return null;
        }

        Span<char> text = length <= StackCharacters ? stackalloc char[StackCharacters] : new char[length];
        first.CopyTo(text);
        second.CopyTo(text[first.Length..]);
        return _lookup.TryGetValue(text[..length], out var token) ? new Merge(_ranks[token], token) : null;
    }

    /// <inheritdoc/>
    public void Encode(string text, BytePairEncoder encoder)
    {
        if (text.Length == 0)
        {
            return;
        }

        var symbols = new List<int>(text.Length + 1);
        if (AddsSpace)
        {
            AddCharacter(new Rune(Space), symbols);
        }

        foreach (var rune in text.EnumerateRunes())
        {
            AddCharacter(rune.Value == ' ' ? new Rune(Space) : rune, symbols);
        }

        encoder.Merge(CollectionsMarshal.AsSpan(symbols));
    }

    private static byte? ByteOf(string text) =>
        text.Length == 6 && text.StartsWith("<0x", StringComparison.Ordinal) && text[5] == '>'
        && byte.TryParse(text.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    /// <summary>Whether a token is the one its text merges to; bytes and the unknown token are not.</summary>
    private bool IsOwn(int token) => _ids.TryGetValue(_texts[token], out var found) && found == token;

    private void AddCharacter(Rune rune, List<int> symbols)
    {
        Span<char> text = stackalloc char[2];
        if (_lookup.TryGetValue(text[..rune.EncodeToUtf16(text)], out var token))
        {
            symbols.Add(token);
            return;
        }

        Span<byte> bytes = stackalloc byte[4];
        bytes = bytes[..rune.EncodeToUtf8(bytes)];
        foreach (var value in bytes)
        {
            if (_byteTokens[value] is null)
            {
                AddUnknown(symbols);
                return;
            }
        }

        foreach (var value in bytes)
        {
            symbols.Add(_byteTokens[value]!.Value);
        }
    }

    /// <summary>Unknown characters in a row are one unknown token.</summary>
    private void AddUnknown(List<int> symbols)
    {
        if (_unknownToken is { } unknown && (symbols.Count == 0 || symbols[^1] != unknown))
        {
            symbols.Add(unknown);
        }
    }
}
