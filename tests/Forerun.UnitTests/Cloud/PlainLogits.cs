using Forerun.Core.Sampling;
using Forerun.Inference;

namespace Forerun.UnitTests.Cloud;

/// <summary>Log probabilities as a plain loop over the target has them, nothing shared with the product's code.</summary>
public static class PlainLogits
{
    /// <summary>Of each token behind the prompt: its log probability, and the likeliest tokens with theirs.</summary>
    public static List<(double Chosen, (int Token, double LogProbability)[] Top)> LogProbabilities(
        LanguageModel target, IReadOnlyList<int> prompt, IReadOnlyList<int> output, int top)
    {
        using var cache = target.CreateCache();
        using var pass = target.CreatePass(1, 1);
        var batch = new ForwardBatch();
        List<(double, (int, double)[])> result = [];
        int[] tokens = [.. prompt, .. output];
        for (var position = 0; position < tokens.Length - 1; position++)
        {
            batch.Clear();
            batch.Add(cache, [tokens[position]], 1);
            pass.Run(batch);
            if (position >= prompt.Count - 1)
            {
                double[] logits = [.. pass.Logits(0).ToArray().Select(logit => (double)logit)];
                var whole = logits.Max() + Math.Log(logits.Sum(logit => Math.Exp(logit - logits.Max())));
                result.Add((
                    logits[tokens[position + 1]] - whole,
                    [.. logits.Index().OrderByDescending(entry => entry.Item).Take(top).Select(entry => (entry.Index, entry.Item - whole))]));
            }
        }

        return result;
    }

    /// <summary>They are equal up to single precision.</summary>
    public static void AssertEqual(
        (double Chosen, (int Token, double LogProbability)[] Top) expected, LogProbabilities actual)
    {
        Assert.Equal(expected.Chosen, actual.Chosen, 1e-5);
        Assert.Equal(expected.Top.Select(entry => entry.Token), actual.Top.Select(entry => entry.Token));
        Assert.All(expected.Top.Zip(actual.Top), pair =>
            Assert.Equal(pair.First.LogProbability, pair.Second.LogProbability, 1e-5));
    }
}
