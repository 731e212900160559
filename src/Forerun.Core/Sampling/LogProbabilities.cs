using System.Collections.Immutable;
using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>A token and how likely the target held it.</summary>
/// <param name="Token">Token id.</param>
/// <param name="LogProbability">Natural logarithm of its probability.</param>
public readonly record struct TokenLogProbability(int Token, float LogProbability);

/// <summary>How likely the target held an output token, and what it held likeliest there.</summary>
/// <param name="Chosen">The output token's log probability.</param>
/// <param name="Top">The likeliest tokens, likeliest first, <c>[asked for]</c>; with or without the output token.</param>
public sealed record LogProbabilities(float Chosen, ImmutableArray<TokenLogProbability> Top)
{
    /// <summary>Most likeliest tokens that can be asked for.</summary>
    public const int MaxTop = 20;

    /// <summary>Of one row of logits: the softmax over all of the vocabulary at temperature 1, without filters and penalty.
    /// The same bits on every machine.</summary>
    /// <param name="logits">Raw logits, <c>[vocabSize]</c>; -infinity masks a token.</param>
    /// <param name="token">The output token.</param>
    /// <param name="top">How many of the likeliest tokens, 0 … <see cref="MaxTop"/>.</param>
    /// <exception cref="ArgumentException">A logit is NaN or +infinity, or none is above -infinity.</exception>
    public static LogProbabilities Of(ReadOnlySpan<float> logits, int token, int top)
    {
        var largest = logits[Logits.ArgMax(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += DeterministicMath.Exp(logit - largest);
        }

        var whole = largest + DeterministicMath.Log(sum);
        Span<int> tokens = stackalloc int[MaxTop];
        Span<float> values = stackalloc float[MaxTop];
        var count = top == 0 ? 0 : Logits.Largest(logits, tokens[..top], values[..top]);
        var likeliest = ImmutableArray.CreateBuilder<TokenLogProbability>(count);
        for (var i = 0; i < count; i++)
        {
            likeliest.Add(new TokenLogProbability(tokens[i], (float)(values[i] - whole)));
        }

        return new LogProbabilities((float)(logits[token] - whole), likeliest.MoveToImmutable());
    }
}
