using System.Collections.Immutable;
using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>A distribution over a few tokens in whole weights: probability = weight / <see cref="Total"/>. What a draft token
/// was drawn from, small enough to travel with it. Immutable; thread-safe.</summary>
public sealed class SparseDistribution
{
    /// <summary>Sum of the weights.</summary>
    public const int Total = 4096;

    /// <summary>Most tokens.</summary>
    public const int MaxTokens = 32;

    private SparseDistribution(ImmutableArray<int> tokens, ImmutableArray<int> weights) => (Tokens, Weights) = (tokens, weights);

    /// <summary>Token ids, strictly ascending, <c>[n]</c>, n in 1 … <see cref="MaxTokens"/>.</summary>
    public ImmutableArray<int> Tokens { get; }

    /// <summary>Their weights, each at least 1, <c>[n]</c>.</summary>
    public ImmutableArray<int> Weights { get; }

    /// <summary>The distribution of a drafter that leaves nothing to chance.</summary>
    public static SparseDistribution Certain(int token) => new([token], [Total]);

    /// <summary>From its parts, which may be hostile.</summary>
    /// <exception cref="ArgumentException">They are no such distribution; the message tells what is wrong.</exception>
    public static SparseDistribution Create(ImmutableArray<int> tokens, ImmutableArray<int> weights)
    {
        if (tokens.IsDefaultOrEmpty || weights.IsDefault || tokens.Length > MaxTokens || tokens.Length != weights.Length)
        {
            throw new ArgumentException($"It must have 1 to {MaxTokens} tokens and as many weights.");
        }

        var sum = 0L;
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] <= (i == 0 ? -1 : tokens[i - 1]))
            {
                throw new ArgumentException("Its token ids must ascend.");
            }

            if (weights[i] < 1)
            {
                throw new ArgumentException("Its weights must be positive.");
            }

            sum += weights[i];
        }

        return sum == Total
            ? new SparseDistribution(tokens, weights)
            : throw new ArgumentException($"Its weights must add up to {Total}, not to {sum}.");
    }

    /// <summary>The nearest such distribution from below: floor(weight · <see cref="Total"/> / sum) each, and what rounding
    /// leaves over goes to the largest. A token that gets nothing is left out.</summary>
    /// <param name="tokens">Token ids, strictly ascending, <c>[n]</c>, n in 1 … <see cref="MaxTokens"/>.</param>
    /// <param name="weights">Their weights, not negative, one of them positive, <c>[n]</c>.</param>
    public static SparseDistribution Quantise(ReadOnlySpan<int> tokens, ReadOnlySpan<int> weights)
    {
        var (sum, largest) = (0L, 0);
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i];
            largest = weights[i] > weights[largest] ? i : largest;
        }

        Span<int> whole = stackalloc int[MaxTokens];
        var rest = Total;
        for (var i = 0; i < weights.Length; i++)
        {
            whole[i] = (int)((long)weights[i] * Total / sum);
            rest -= whole[i];
        }

        whole[largest] += rest;
        var kept = ImmutableArray.CreateBuilder<int>(weights.Length);
        var keptWeights = ImmutableArray.CreateBuilder<int>(weights.Length);
        for (var i = 0; i < weights.Length; i++)
        {
            if (whole[i] > 0)
            {
                kept.Add(tokens[i]);
                keptWeights.Add(whole[i]);
            }
        }

        return Create(kept.DrainToImmutable(), keptWeights.DrainToImmutable());
    }

    /// <summary>The weight of a token; 0 = it is not among these.</summary>
    public int WeightOf(int token) => Tokens.BinarySearch(token) is >= 0 and var index ? Weights[index] : 0;

    /// <summary>Draws tokens without putting them back: the first is a draw from this distribution, the second one without
    /// the first, and so on. A function of its arguments.</summary>
    /// <param name="seed">Seed of the noise.</param>
    /// <param name="position">Absolute position of the token to choose.</param>
    /// <param name="tokens">Receives token ids, <c>[n]</c>.</param>
    /// <returns>How many were written: at most as many as there are.</returns>
    /// <remarks>The largest of log(weight) + gumbel(seed, position, token): the draw that <see cref="SharedNoise"/> makes of
    /// a target's logits.</remarks>
    public int Draw(ulong seed, int position, Span<int> tokens)
    {
        Span<float> scores = stackalloc float[MaxTokens];
        scores = scores[..Tokens.Length];
        SharedNoise.Gumbel(seed, position, Tokens.AsSpan(), scores);
        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] += DeterministicMath.Log((float)Weights[i]);
        }

        Span<float> largest = stackalloc float[tokens.Length];
        var count = Logits.Largest(scores, tokens, largest);
        foreach (ref var token in tokens[..count])
        {
            token = Tokens[token];
        }

        return count;
    }

    /// <summary>Draws one token: the first of <see cref="Draw(ulong, int, Span{int})"/>.</summary>
    public int Draw(ulong seed, int position)
    {
        Span<int> token = stackalloc int[1];
        Draw(seed, position, token);
        return token[0];
    }
}
