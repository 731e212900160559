using System.Collections.Immutable;
using System.Text;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Tokenization;

/// <summary>What byte-level BPE learned: the token of each byte, and which neighbours become one token, in which order.
/// Immutable and thread-safe.</summary>
internal sealed class BytePairTable
{
    private const string MergesKey = "tokenizer.ggml.merges";
    private readonly Dictionary<(int Left, int Right), Merge> _merges;
    private readonly int?[] _byteTokens;

    private BytePairTable(Dictionary<(int Left, int Right), Merge> merges, int?[] byteTokens) =>
        (_merges, _byteTokens) = (merges, byteTokens);

    /// <summary>Reads the merges; each must lead from two tokens to a third.</summary>
    /// <param name="metadata">The file's keys.</param>
    /// <param name="texts">The tokens as they are written in the file.</param>
    public static BytePairTable Read(GgufMetadata metadata, ImmutableArray<string> texts)
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
        return new BytePairTable(merges, [.. byteTokens]);
    }

    /// <summary>The token of a single byte; null when the vocabulary has none.</summary>
    public int? TokenOf(byte value) => _byteTokens[value];

    /// <summary>The merge of two neighbours; null when they stay apart.</summary>
    public Merge? MergeOf(int left, int right) => _merges.TryGetValue((left, right), out var merge) ? merge : null;

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

/// <summary>Two neighbours that become one token.</summary>
/// <param name="Rank">Lower ranks are merged first.</param>
/// <param name="Result">The one token.</param>
internal readonly record struct Merge(int Rank, int Result);
