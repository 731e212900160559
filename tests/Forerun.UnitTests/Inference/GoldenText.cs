using System.Text.Json;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Inference;

/// <summary>A text's reference values: per position the 64 largest logits of the reference, and the logarithm of the
/// sum of e^logit over all rows of the head.</summary>
internal sealed record GoldenText(int[] Tokens, int[] TopRows, float[] TopLogits, float[] LogSumExp)
{
    /// <summary>Logits stored per position.</summary>
    public const int Top = 64;

    /// <summary>Texts of one model, from its <c>logits.safetensors</c>.</summary>
    public static GoldenText[] Read(SafeTensors file, string topRows) =>
    [
        .. Enumerable.Range(0, file.Names.Count(name => name.EndsWith(".ids", StringComparison.Ordinal))).Select(text =>
            new GoldenText(
                file.Values<int>($"{text}.ids").ToArray(),
                file.Values<int>($"{text}.{topRows}").ToArray(),
                file.Values<float>($"{text}.top_logits").ToArray(),
                file.Values<float>($"{text}.logsumexp").ToArray())),
    ];

    /// <summary>Largest difference of a stored logit or of the sum's logarithm.</summary>
    public float LargestDifference(float[][] logits)
    {
        var largest = 0f;
        for (var position = 0; position < Tokens.Length; position++)
        {
            var logSumExp = (float)Distributions.LogSumExp(logits[position]);
            largest = MathF.Max(largest, MathF.Abs(LogSumExp[position] - logSumExp));
            for (var i = 0; i < Top; i++)
            {
                var stored = (position * Top) + i;
                largest = MathF.Max(largest, MathF.Abs(TopLogits[stored] - logits[position][TopRows[stored]]));
            }
        }

        return largest;
    }

    /// <summary>KL divergence from the reference at a position, over its stored logits.</summary>
    public double Divergence(int position, float[] logits)
    {
        var logSumExp = Distributions.LogSumExp(logits);
        var sum = 0.0;
        for (var stored = position * Top; stored < (position + 1) * Top; stored++)
        {
            var expected = TopLogits[stored] - (double)LogSumExp[position];
            sum += Math.Exp(expected) * (expected - (logits[TopRows[stored]] - logSumExp));
        }

        return sum;
    }

    /// <summary>Whether the most likely row is the reference's.</summary>
    public bool SameTop(int position, float[] logits) => Distributions.Top(logits) == TopRows[position * Top];
}

/// <summary>A prompt and its greedy continuation, with the distance of the two largest logits at each step.</summary>
internal sealed record GoldenGreedy(int[] Prompt, int[] Tokens, float[] Margins)
{
    public static GoldenGreedy[] Read() =>
    [
        .. File.ReadLines(Repository.Path("models", "smollm2-135m-instruct", "golden", "greedy.jsonl")).Select(line =>
        {
            var entry = JsonElement.Parse(line);
            return new GoldenGreedy(
                [.. entry.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())],
                [.. entry.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
                [.. entry.GetProperty("margin").EnumerateArray().Select(margin => margin.GetSingle())]);
        }),
    ];
}

/// <summary>Sums over logits, in double precision.</summary>
internal static class Distributions
{
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var largest = (double)logits[Top(logits)];
        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - largest);
        }

        return largest + Math.Log(sum);
    }

    /// <summary>The first of the largest logits.</summary>
    public static int Top(ReadOnlySpan<float> logits)
    {
        var top = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            top = logits[i] > logits[top] ? i : top;
        }

        return top;
    }
}
