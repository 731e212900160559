namespace Forerun.Core.Sampling;

/// <summary>How the next token is chosen from the target's logits. Immutable.</summary>
public sealed record SamplingOptions
{
    /// <summary>Greedy: the token of the largest logit.</summary>
    public static SamplingOptions Default { get; } = new();

    /// <summary>Divides the logits; 0 (default) = greedy. Range 0 … 100.</summary>
    public float Temperature { get; init; }

    /// <summary>Keeps the k largest logits; 0 (default) = all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probabilities reach this sum; 1 (default) = all. Range (0, 1].</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Drops tokens less probable than this share of the most probable one; 0 (default) = none. Range [0, 1).</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen in the last
    /// <see cref="RepetitionWindow"/> positions; 1 (default) = off. Range (0, 10].</summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>How many of the latest tokens the repetition penalty looks at; default 64.</summary>
    public int RepetitionWindow { get; init; } = 64;

    /// <summary>Seed of the shared noise; default 0.</summary>
    public ulong Seed { get; init; }
}
