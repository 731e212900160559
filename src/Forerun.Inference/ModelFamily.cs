namespace Forerun.Inference;

/// <summary>What sets one family of decoder-only models apart from the others; all else is the same for all.
/// Immutable and thread-safe.</summary>
/// <param name="Name">The value of <c>general.architecture</c>, and the prefix of the family's keys.</param>
/// <param name="HasAttentionBiases">Queries, keys and values get a bias.</param>
/// <param name="HasQueryKeyNorm">Queries and keys are normalised per head before the rotation.</param>
/// <param name="InterleavesRotaryPairs">The file keeps the two elements of a rotary pair next to each other; otherwise
/// they are headDim / 2 apart.</param>
internal sealed record ModelFamily(
    string Name, bool HasAttentionBiases, bool HasQueryKeyNorm, bool InterleavesRotaryPairs)
{
    private static readonly ModelFamily[] All =
    [
        new("llama", HasAttentionBiases: false, HasQueryKeyNorm: false, InterleavesRotaryPairs: true),
        new("qwen2", HasAttentionBiases: true, HasQueryKeyNorm: false, InterleavesRotaryPairs: false),
        new("qwen3", HasAttentionBiases: false, HasQueryKeyNorm: true, InterleavesRotaryPairs: false),
    ];

    /// <summary>The names of all families.</summary>
    public static string Names => string.Join(", ", All.Select(family => family.Name));

    /// <summary>The family of a name; null when it is not supported.</summary>
    public static ModelFamily? Find(string name) => Array.Find(All, family => family.Name == name);
}
