using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>Turns text into token ids and back. Byte-level BPE with the <c>smollm</c> pre-tokenizer; others are
/// refused. Immutable and thread-safe.</summary>
public sealed class Tokenizer
{
    private const string Prefix = "tokenizer.ggml.";
    private const string SupportedModel = "gpt2";
    private const string SupportedPreTokenizer = "smollm";

    private static readonly string[] EndTexts =
        ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end_of_text|>", "</s>"];

    private readonly Vocabulary _vocabulary;
    private readonly BytePairTable _table;
    private readonly SpecialTokens _special;

    private Tokenizer(GgufMetadata metadata)
    {
        Fingerprint = TokenizerFingerprint.Of(metadata);
        _vocabulary = Vocabulary.Read(metadata, out var texts);
        _table = BytePairTable.Read(metadata, texts);
        _special = new SpecialTokens(texts.Select((text, token) => (text, token))
            .Where(special => _vocabulary.IsSpecial(special.token)));
        BeginToken = metadata.FindBoolean($"{Prefix}add_bos_token") ?? false
            ? FindToken(metadata, "bos_token_id") ?? throw metadata.Invalid(
                $"key \"{Prefix}add_bos_token\" wants a begin token, but key \"{Prefix}bos_token_id\" is missing.")
            : null;
        EndTokens = FindEndTokens(metadata, texts);
    }

    /// <summary>The tokens that end a generation: the file's end token, then every control token whose text is
    /// <c>&lt;|im_end|&gt;</c>, <c>&lt;|endoftext|&gt;</c>, <c>&lt;|eot_id|&gt;</c>, <c>&lt;|end_of_text|&gt;</c> or
    /// <c>&lt;/s&gt;</c>.</summary>
    public ImmutableArray<int> EndTokens { get; }

    /// <summary>The token the model wants before every text; null when it wants none. <see cref="Encode"/> does not add
    /// it.</summary>
    public int? BeginToken { get; }

    /// <summary>Number of token ids.</summary>
    public int VocabSize => _vocabulary.Count;

    /// <summary>What two tokenizers must have in common for their ids to mean the same: 32 hexadecimal digits over
    /// tokens, types, merges, pre-tokenizer and special ids.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads the tokenizer of a model file. The file may be closed afterwards.</summary>
    /// <exception cref="InvalidDataException">It is damaged or of a kind that is not supported.</exception>
    public static Tokenizer From(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        RefuseUnsupported(file.Metadata, "model", SupportedModel);
        RefuseUnsupported(file.Metadata, "pre", SupportedPreTokenizer);
        return new Tokenizer(file.Metadata);
    }

    /// <summary>The token ids of a text. Works for every string: unpaired surrogates count as U+FFFD, and bytes the
    /// vocabulary has no token for are left out.</summary>
    /// <param name="text">The text.</param>
    /// <param name="parseSpecial">Whether the texts of control and user-defined tokens become those tokens; otherwise
    /// they are plain text.</param>
    public ImmutableArray<int> Encode(string text, bool parseSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var encoder = new BytePairEncoder(_table);
        var start = 0;
        while (parseSpecial && _special.Find(text.AsSpan(start)) is { } special)
        {
            EncodePlain(text.Substring(start, special.Start), encoder);
            encoder.Append(special.Token);
            start += special.Start + special.Length;
        }

        EncodePlain(text[start..], encoder);
        return encoder.Tokens;
    }

    /// <summary>The text of tokens, control tokens included; invalid UTF-8 becomes U+FFFD.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> tokens)
    {
        using var bytes = new MemoryStream();
        foreach (var token in tokens)
        {
            bytes.Write(TokenBytes(token));
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>The bytes a token stands for; possibly a part of a character.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public ReadOnlySpan<byte> TokenBytes(int token) => _vocabulary.Bytes(token);

    /// <summary>Whether a token steers the model and is no part of the text people read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is outside the vocabulary.</exception>
    public bool IsControl(int token) => _vocabulary.Type(token) == TokenType.Control;

    private static void RefuseUnsupported(GgufMetadata metadata, string name, string supported)
    {
        var found = metadata.GetString($"{Prefix}{name}");
        if (found != supported)
        {
            throw metadata.Invalid(
                $"key \"{Prefix}{name}\" is \"{found}\", which is not supported. Supported is \"{supported}\".");
        }
    }

    private static void EncodePlain(string text, BytePairEncoder encoder)
    {
        foreach (var piece in SmolLmPreTokenizer.Split(Encoding.UTF8.GetBytes(text)))
        {
            encoder.Encode(piece);
        }
    }

    private ImmutableArray<int> FindEndTokens(GgufMetadata metadata, ImmutableArray<string> texts)
    {
        var known = Enumerable.Range(0, VocabSize).Where(token => IsControl(token) && EndTexts.Contains(texts[token]));
        return FindToken(metadata, "eos_token_id") is { } end ? [.. known.Prepend(end).Distinct()] : [.. known];
    }

    private int? FindToken(GgufMetadata metadata, string name)
    {
        var token = metadata.FindInt32($"{Prefix}{name}");
        return token is null || (token >= 0 && token < VocabSize)
            ? token
            : throw metadata.Invalid($"key \"{Prefix}{name}\" is {token}; expected 0 to {VocabSize - 1}.");
    }
}
