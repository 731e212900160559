using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>What a token is for, by its number in the file.</summary>
internal enum TokenType
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>The bytes and types of all tokens, packed into one array. Immutable and thread-safe.</summary>
/// <remarks>Files may end their vocabulary with unused tokens, as many as make it as long as the embedding. They are
/// padding and left out: two files with the same tokenizer and different padding have the same vocabulary.</remarks>
internal sealed class Vocabulary
{
    private const string TokensKey = "tokenizer.ggml.tokens";
    private const string TypesKey = "tokenizer.ggml.token_type";
    private const int MaxTokens = 1 << 20;
    private readonly ImmutableArray<int> _types;
    private readonly int[] _starts;
    private readonly byte[] _bytes;

    private Vocabulary(
        ImmutableArray<string> texts, ImmutableArray<int> types, Func<string, TokenType, byte[]> bytesOf)
    {
        _types = types;
        _starts = new int[texts.Length + 1];
        var bytes = new MemoryStream();
        for (var token = 0; token < texts.Length; token++)
        {
            bytes.Write(
                IsSpecial(token) ? Encoding.UTF8.GetBytes(texts[token]) : bytesOf(texts[token], Type(token)));
            _starts[token + 1] = checked((int)bytes.Length);
        }

        _bytes = bytes.ToArray();
    }

    /// <summary>Number of tokens.</summary>
    public int Count => _types.Length;

    /// <summary>Number of token ids, padding left out; null in a file without a tokenizer.</summary>
    public static int? FindSize(GgufMetadata metadata)
    {
        if (metadata.FindStrings(TokensKey)?.Count is not { } count)
        {
            return null;
        }

        var types = metadata.FindInt32Array(TypesKey);
        while (count > 0 && count <= types?.Length && types.Value[count - 1] == (int)TokenType.Unused)
        {
            count--;
        }

        return count;
    }

    /// <summary>Reads tokens and types.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="bytesOf">The bytes a token that is not special stands for.</param>
    /// <param name="texts">The tokens as they are written in the file, padding left out, <c>[Count]</c>.</param>
    public static Vocabulary Read(
        GgufMetadata metadata, Func<string, TokenType, byte[]> bytesOf, out ImmutableArray<string> texts)
    {
        var tokens = metadata.GetStrings(TokensKey);
        if (tokens.Count is 0 or > MaxTokens)
        {
            throw metadata.Invalid($"key \"{TokensKey}\" has {tokens.Count} tokens; expected 1 to {MaxTokens}.");
        }

        var types = metadata.FindInt32Array(TypesKey)
            ?? [.. Enumerable.Repeat((int)TokenType.Normal, tokens.Count)];
        if (types.Length != tokens.Count)
        {
            throw metadata.Invalid(
                $"key \"{TypesKey}\" has {types.Length} entries; expected one for each of the {tokens.Count} tokens.");
        }

        var size = FindSize(metadata)!.Value;
        if (size == 0)
        {
            throw metadata.Invalid($"all {tokens.Count} tokens of key \"{TokensKey}\" are unused.");
        }

        texts = tokens.ToImmutableArray()[..size];
        return new Vocabulary(texts, types[..size], bytesOf);
    }

    /// <summary>The bytes a token stands for.</summary>
    public ReadOnlySpan<byte> Bytes(int token)
    {
        ThrowIfNoToken(token);
        return _bytes.AsSpan(_starts[token].._starts[token + 1]);
    }

    /// <summary>What a token is for.</summary>
    public TokenType Type(int token)
    {
        ThrowIfNoToken(token);
        return (TokenType)_types[token];
    }

    /// <summary>Whether a token stands for its own text and is found in text before all others.</summary>
    public bool IsSpecial(int token) => Type(token) is TokenType.Control or TokenType.UserDefined;

    private void ThrowIfNoToken(int token)
    {
        if ((uint)token >= (uint)_types.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(token), token, $"A token id must be from 0 to {_types.Length - 1}.");
        }
    }
}
