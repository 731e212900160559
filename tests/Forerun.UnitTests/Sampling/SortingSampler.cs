using System.Collections.Immutable;
using Forerun.Core.Numerics;
using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

/// <summary>The sampler's definition as plainly as it can be written: sort everything, one number at a time.</summary>
internal static class SortingSampler
{
    public static int Sample(
        SamplingOptions options,
        ReadOnlySpan<float> logits,
        ImmutableArray<int> vocabulary,
        int position,
        int[] history) =>
        Survivors(options, logits, vocabulary, history)
            .Select(s => (s.Token, Score: SharedNoise.Gumbel(options.Seed, position, s.Token) - s.Distance))
            .OrderByDescending(s => options.Temperature == 0f ? 0f : s.Score)
            .ThenBy(s => s.Token)
            .First().Token;

    public static List<(int Token, float Distance)> Survivors(
        SamplingOptions options, ReadOnlySpan<float> logits, ImmutableArray<int> vocabulary, int[] history)
    {
        var penalised = logits.ToArray();
        var recent = history.TakeLast(options.RepetitionWindow).ToHashSet();
        for (var row = 0; row < penalised.Length; row++)
        {
            if (recent.Contains(Token(row)))
            {
                penalised[row] = penalised[row] > 0f
                    ? penalised[row] / options.RepetitionPenalty
                    : penalised[row] * options.RepetitionPenalty;
            }
        }

        var largest = penalised.Max();
        if (options.Temperature == 0f)
        {
            return [(Token(Array.FindIndex(penalised, l => l == largest)), 0f)];
        }

        var inverse = 1f / options.Temperature;
        var sorted = penalised
            .Select((logit, row) => (Token: Token(row), Distance: (largest - logit) * inverse, Logit: logit))
            .Where(s => s.Logit > float.NegativeInfinity)
            .OrderBy(s => s.Distance)
            .ThenBy(s => s.Token)
            .Select(s => (s.Token, s.Distance))
            .ToList();
        if (options.TopK > 0)
        {
            sorted = [.. sorted.Take(options.TopK)];
        }

        if (options.TopP < 1f)
        {
            var weights = sorted.ConvertAll(s => (long)(DeterministicMath.Exp(-s.Distance) * (1 << 30)));
            var wanted = options.TopP * (double)weights.Sum();
            var (kept, sum) = (0, 0L);
            while (kept == 0 || sum < wanted)
            {
                sum += weights[kept++];
            }

            sorted = sorted[..kept];
        }

        return options.MinP > 0f
            ? sorted.FindAll(s => s.Distance <= (float)-DeterministicMath.Log((double)options.MinP))
            : sorted;

        int Token(int row) => vocabulary.IsEmpty ? row : vocabulary[row];
    }
}
