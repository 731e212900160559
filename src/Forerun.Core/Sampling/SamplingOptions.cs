using System.Globalization;

namespace Forerun.Core.Sampling;

/// <summary>How the next token is chosen from the target's logits. Immutable.</summary>
public sealed record SamplingOptions
{
    /// <summary>Greedy: the token of the largest logit.</summary>
    public static SamplingOptions Default { get; } = new();

    /// <summary>Divides the logits; 0 (default) = greedy. Range 0, or 0.000001 … 100.</summary>
    public float Temperature { get; init; }

    /// <summary>Keeps the k largest logits; 0 (default) = all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probabilities reach this sum; 1 (default) = all.
    /// Range (0, 1].</summary>
    public float TopP { get; init; } = 1f;

    /// <summary>Drops tokens less probable than this share of the most probable one; 0 (default) = none.
    /// Range [0, 1).</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen in the last
    /// <see cref="RepetitionWindow"/> positions; 1 (default) = off. Range 0.1 … 10.</summary>
    public float RepetitionPenalty { get; init; } = 1f;

    /// <summary>How many of the latest tokens the repetition penalty looks at; default 64, 0 = none.</summary>
    public int RepetitionWindow { get; init; } = 64;

    /// <summary>Seed of the shared noise; default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>What decides whether a draft token stands; default <see cref="AcceptanceRule.SharedNoise"/>.</summary>
    public AcceptanceRule Acceptance { get; init; }

    /// <summary>Whether draft tokens come with the distribution they were drawn from: under rejection sampling, unless
    /// greedy. Then the text depends on who drafts.</summary>
    public bool NeedsDraftProbs() => Acceptance == AcceptanceRule.Rejection && Temperature != 0f;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentException">Some are violated; the message lists each field with its range and value.
    /// </exception>
    public void Validate()
    {
        List<string> wrong = [];
        Check(Temperature == 0f || Temperature is >= 1e-6f and <= 100f, nameof(Temperature),
            "0, or between 0.000001 and 100", Temperature);
        Check(TopK >= 0, nameof(TopK), "0 or more", TopK);
        Check(TopP is > 0f and <= 1f, nameof(TopP), "above 0 and at most 1", TopP);
        Check(MinP is >= 0f and < 1f, nameof(MinP), "at least 0 and below 1", MinP);
        Check(RepetitionPenalty is >= 0.1f and <= 10f, nameof(RepetitionPenalty),
            "between 0.1 and 10", RepetitionPenalty);
        Check(Enum.IsDefined(Acceptance), nameof(Acceptance), "a known rule", (int)Acceptance);
        Check(RepetitionWindow >= 0, nameof(RepetitionWindow), "0 or more", RepetitionWindow);
        if (wrong.Count > 0)
        {
            throw new ArgumentException($"Sampling options are out of range: {string.Join("; ", wrong)}.");
        }

        void Check(bool right, string field, string range, IFormattable got)
        {
            if (!right)
            {
                wrong.Add($"{field} must be {range}, got {got.ToString(null, CultureInfo.InvariantCulture)}");
            }
        }
    }
}
