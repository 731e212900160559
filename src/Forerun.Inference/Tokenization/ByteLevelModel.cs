using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>Byte-level BPE: a token for each byte, and which neighbours become one token, in which order.</summary>
internal sealed class ByteLevelModel : IBytePairModel
{
    private const string MergesKey = "tokenizer.ggml.merges";
    private readonly Dictionary<(int Left, int Right), Merge> _merges;
    private readonly int?[] _byteTokens;
    private readonly PreTokenizer _preTokenizer;
    private readonly Dictionary<string, int>? _wholeWords;
    private readonly int _longestWord;

    private ByteLevelModel(
        Dictionary<(int Left, int Right), Merge> merges,
        int?[] byteTokens,
        PreTokenizer preTokenizer,
        Dictionary<string, int>? wholeWords)
    {
        (_merges, _byteTokens, _preTokenizer, _wholeWords) = (merges, byteTokens, preTokenizer, wholeWords);
        _longestWord = wholeWords?.Keys.Select(word => word.Length).DefaultIfEmpty().Max() ?? 0;
    }

    /// <inheritdoc/>
    public bool AddsSpace => false;

    /// <summary>Reads the merges; each must lead from two tokens to a third.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="vocabulary">The tokens.</param>
    /// <param name="texts">The tokens as they are written in the file.</param>
    /// <param name="preTokenizer">Splits text.</param>
    public static ByteLevelModel Read(
        GgufMetadata metadata, Vocabulary vocabulary, ImmutableArray<string> texts, PreTokenizer preTokenizer)
    {
        var ids = new Dictionary<string, int>(texts.Length);
        for (var token = 0; token < texts.Length; token++)
        {
            ids.TryAdd(texts[token], token);
        }

        var lines = metadata.GetStrings(MergesKey);
        var merges = new Dictionary<(int Left, int Right), Merge>(lines.Count);
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var rank = 0; rank < lines.Count; rank++)
        {
            if (!TryAdd(Encoding.UTF8.GetString(lines[rank]), rank, lookup, merges))
            {
                throw metadata.Invalid($"entry {rank} of key \"{MergesKey}\" is no pair of tokens that makes a third.");
            }
        }

        var byteTokens = ByteLevel.Characters.Select(
            value => ids.TryGetValue($"{value}", out var id) ? id : (int?)null);
        var wholeWords = preTokenizer.KnowsWholeWords
            ? ids.Where(word => !vocabulary.IsSpecial(word.Value)).ToDictionary()
            : null;
        return new ByteLevelModel(merges, [.. byteTokens], preTokenizer, wholeWords);
    }

    /// <inheritdoc/>
    public Merge? MergeOf(int left, int right) => _merges.TryGetValue((left, right), out var merge) ? merge : null;

    /// <summary>Appends the tokens of a text. Bytes without a token are left out.</summary>
    public void Encode(string text, BytePairEncoder encoder)
    {
        var symbols = new ArrayBufferWriter<int>();
        foreach (var piece in _preTokenizer.Split(Encoding.UTF8.GetBytes(text)))
        {
            if (WholeWord(piece) is { } token)
            {
                encoder.Append(token);
                continue;
            }

            symbols.ResetWrittenCount();
            foreach (var value in piece)
            {
                if (_byteTokens[value] is { } symbol)
                {
                    symbols.Write([symbol]);
                }
            }

            encoder.Merge(symbols.WrittenSpan);
        }
    }

    private int? WholeWord(ReadOnlySpan<byte> piece)
    {
        if (_wholeWords is null || piece.Length > _longestWord)
        {
            return null;
        }

        var word = string.Create(piece.Length, piece, static (characters, bytes) =>
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                characters[i] = ByteLevel.Characters[bytes[i]];
            }
        });
        return _wholeWords.TryGetValue(word, out var token) ? token : null;
    }

    private static bool TryAdd(
        string line,
        int rank,
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids,
        Dictionary<(int Left, int Right), Merge> merges)
    {
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0
            || !ids.TryGetValue(line.AsSpan(0, space), out var left)
            || !ids.TryGetValue(line.AsSpan(space + 1), out var right)
            || !ids.TryGetValue(string.Concat(line.AsSpan(0, space), line.AsSpan(space + 1)), out var result))
        {
            return false;
        }

        merges.TryAdd((left, right), new Merge(rank, result));
        return true;
    }
}
