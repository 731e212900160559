using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>Turns text into token ids and back: byte-level BPE with the pre-tokenizers <c>gpt-2</c>, <c>llama-bpe</c>,
/// <c>qwen2</c> and <c>smollm</c>, and SentencePiece BPE (<c>llama</c>); others are refused. Immutable and
/// thread-safe.</summary>
public sealed class Tokenizer
{
    private const string Prefix = "tokenizer.ggml.";
    private const string ByteLevelKind = "gpt2";
    private const string SentencePieceKind = "llama";

    private static readonly string[] EndTexts =
        ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"];

    private readonly Vocabulary _vocabulary;
    private readonly IBytePairModel _model;
    private readonly SpecialTokens _special;
    private readonly SpecialTokens _userDefined;

    private Tokenizer(GgufMetadata metadata)
    {
        Fingerprint = TokenizerFingerprint.Of(metadata);
        var isByteLevel = IsByteLevel(metadata);
        var preTokenizer = isByteLevel ? FindPreTokenizer(metadata) : null;
        _vocabulary = Vocabulary.Read(
            metadata, isByteLevel ? (text, _) => ByteLevel.BytesOf(text) : SentencePieceModel.BytesOf, out var texts);
        _model = preTokenizer is not null
            ? ByteLevelModel.Read(metadata, _vocabulary, texts, preTokenizer)
            : SentencePieceModel.Read(metadata, _vocabulary, texts, FindToken(metadata, "unknown_token_id"));
        var special = texts.Select((text, token) => (text, token)).Where(entry => _vocabulary.IsSpecial(entry.token));
        _special = new SpecialTokens(special);
        _userDefined = new SpecialTokens(special.Where(entry => !IsControl(entry.token)));
        BeginToken = FindBeginToken(metadata, isUsual: !isByteLevel || preTokenizer!.KnowsWholeWords);
        EndTokens = FindEndTokens(metadata, texts);
    }

    /// <summary>The tokens that end a generation: the file's end token and end-of-turn token, then every control token
    /// whose text is <c>&lt;|im_end|&gt;</c>, <c>&lt;|endoftext|&gt;</c>, <c>&lt;|eot_id|&gt;</c>,
    /// <c>&lt;|eom_id|&gt;</c>, <c>&lt;|end_of_text|&gt;</c> or <c>&lt;/s&gt;</c>.</summary>
    public ImmutableArray<int> EndTokens { get; }

    /// <summary>The token the model wants before every text; null when it wants none. <see cref="Encode"/> does not add
    /// it.</summary>
    public int? BeginToken { get; }

    /// <summary>Number of token ids.</summary>
    public int VocabSize => _vocabulary.Count;

    /// <summary>What two tokenizers must have in common for their ids to mean the same: 32 hexadecimal digits over
    /// tokens, types, merges, scores, pre-tokenizer, flags and special ids.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads the tokenizer of a model file. The file may be closed afterwards.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of a kind that is not supported.</exception>
    public static Tokenizer From(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new Tokenizer(file.Metadata);
    }

    /// <summary>The token ids of a text. Works for every string: unpaired surrogates count as U+FFFD. What the
    /// vocabulary has no token for becomes the unknown token in SentencePiece BPE and is left out in byte-level BPE.
    /// SentencePiece BPE puts a space before the text and before what follows a special token, unless the file says
    /// otherwise.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseSpecial">Whether the texts of control and user-defined tokens become those tokens; otherwise
    /// they are plain text.</param>
    public ImmutableArray<int> Encode(string text, bool parseSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var encoder = new BytePairEncoder(_model);
        var plain = new StringBuilder();
        Append(text, parseSpecial ? _special : null, plain, encoder);
        _model.Encode(plain.ToString(), encoder);
        return encoder.Tokens;
    }

    /// <summary>Puts the begin token before the tokens of a text, if the model wants one and it is not there.</summary>
    public ImmutableArray<int> WithBeginToken(ImmutableArray<int> tokens) =>
        BeginToken is { } begin && (tokens.IsEmpty || tokens[0] != begin) ? [begin, .. tokens] : tokens;

    /// <summary>The token ids of a text in parts. Parts that meet are encoded as one text, but a control token is found
    /// only within a part that is no content; user-defined tokens are found in every part.</summary>
    internal ImmutableArray<int> EncodeParts(IReadOnlyList<TextPart> parts)
    {
        var encoder = new BytePairEncoder(_model);
        var plain = new StringBuilder();
        foreach (var part in parts)
        {
            Append(part.Text, part.IsContent ? _userDefined : _special, plain, encoder);
        }

        _model.Encode(plain.ToString(), encoder);
        return encoder.Tokens;
    }

    /// <summary>The text of tokens, control tokens included; invalid UTF-8 becomes U+FFFD. A space that encoding puts before a
    /// text is removed from the start.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> tokens)
    {
        using var bytes = new MemoryStream();
        for (var i = 0; i < tokens.Length; i++)
        {
            bytes.Write(TextBytes(tokens[i], isFirst: i == 0));
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>The bytes a token stands for; possibly a part of a character.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public ReadOnlySpan<byte> TokenBytes(int token) => _vocabulary.Bytes(token);

    /// <summary>Whether a token steers the model and is no part of the text people read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public bool IsControl(int token) => _vocabulary.Type(token) == TokenType.Control;

    /// <summary>The bytes of a token in a text, where the space that encoding puts before a text is gone.</summary>
    /// <param name="token">The token.</param>
    /// <param name="isFirst">Whether the text starts with it.</param>
    internal ReadOnlySpan<byte> TextBytes(int token, bool isFirst)
    {
        var bytes = TokenBytes(token);
        return isFirst && _model.AddsSpace && !_vocabulary.IsSpecial(token) && bytes.StartsWith((byte)' ')
            ? bytes[1..]
            : bytes;
    }

    /// <summary>Appends a text up to its last special token; what follows stays in <paramref name="plain"/>.</summary>
    private void Append(string text, SpecialTokens? special, StringBuilder plain, BytePairEncoder encoder)
    {
        var start = 0;
        while (special?.Find(text.AsSpan(start)) is { } found)
        {
            plain.Append(text, start, found.Start);
            _model.Encode(plain.ToString(), encoder);
            plain.Clear();
            encoder.Append(found.Token);
            start += found.Start + found.Length;
        }

        plain.Append(text, start, text.Length - start);
    }

    private static bool IsByteLevel(GgufMetadata metadata) => metadata.GetString($"{Prefix}model") switch
    {
        ByteLevelKind => true,
        SentencePieceKind => false,
        var other => throw Unsupported(metadata, "model", other, [ByteLevelKind, SentencePieceKind]),
    };

    private static PreTokenizer FindPreTokenizer(GgufMetadata metadata)
    {
        var name = metadata.GetString($"{Prefix}pre");
        return PreTokenizer.Find(name) ?? throw Unsupported(metadata, "pre", name, PreTokenizer.Names);
    }

    private static InvalidDataException Unsupported(
        GgufMetadata metadata, string key, string found, IEnumerable<string> supported) => metadata.Invalid(
            $"key \"{Prefix}{key}\" is \"{found}\", which is not supported. Supported are "
            + $"{string.Join(", ", supported.Select(name => $"\"{name}\""))}.");

    /// <summary>The begin token if the file wants one.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="isUsual">Whether this kind of tokenizer wants one when the file says nothing.</param>
    private int? FindBeginToken(GgufMetadata metadata, bool isUsual)
    {
        var stated = metadata.FindBoolean($"{Prefix}add_bos_token");
        var token = stated ?? isUsual ? FindToken(metadata, "bos_token_id") : null;
        return token is not null || stated is not true
            ? token
            : throw metadata.Invalid(
                $"key \"{Prefix}add_bos_token\" wants a begin token, but key \"{Prefix}bos_token_id\" is missing.");
    }

    private ImmutableArray<int> FindEndTokens(GgufMetadata metadata, ImmutableArray<string> texts)
    {
        int?[] named = [FindToken(metadata, "eos_token_id"), FindToken(metadata, "eot_token_id")];
        var known = Enumerable.Range(0, VocabSize).Where(token => IsControl(token) && EndTexts.Contains(texts[token]));
        return [.. named.OfType<int>().Concat(known).Distinct()];
    }

    private int? FindToken(GgufMetadata metadata, string name)
    {
        var token = metadata.FindInt32($"{Prefix}{name}");
        return token is null || (token >= 0 && token < VocabSize)
            ? token
            : throw metadata.Invalid($"key \"{Prefix}{name}\" is {token}; expected 0 to {VocabSize - 1}.");
    }
}
