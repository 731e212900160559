using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.UnitTests.Exits;

/// <summary>The formula of an exit in plain double-precision loops.</summary>
internal static class PlainExit
{
    /// <summary>The exit's hidden state before the final norm, <c>[hiddenSize]</c>.</summary>
    public static double[] State(ExitAdapter exit, ReadOnlySpan<float> hidden, float epsilon)
    {
        var z = Normed(Array.ConvertAll(hidden.ToArray(), value => (double)value), epsilon);
        var state = new double[z.Length];
        for (var i = 0; i < z.Length; i++)
        {
            state[i] = z[i] + exit.Bias[i];
        }

        double[] x = [.. z.Select((value, i) => value * exit.Scale[i])];
        for (var j = 0; j < exit.Rank; j++)
        {
            var gate = Dot(exit.Gate.AsSpan(j * z.Length, z.Length), x) + exit.GateBias[j];
            var value = gate / (1 + Math.Exp(-gate)) * Dot(exit.Down.AsSpan(j * z.Length, z.Length), x);
            for (var i = 0; i < z.Length; i++)
            {
                state[i] += exit.Up[(i * exit.Rank) + j] * value;
            }
        }

        return state;
    }

    /// <summary>Final norm and rows of a head, <c>[tokens, hiddenSize]</c>.</summary>
    public static float[] Logits(LanguageModel target, double[] state, float[] head)
    {
        var normed = Normed(state, target.Config.RmsNormEps);
        var weight = FinalNorm(target);
        for (var i = 0; i < normed.Length; i++)
        {
            normed[i] *= weight[i];
        }

        return [.. head.Chunk(normed.Length).Select(row => (float)Dot(row, normed))];
    }

    private static unsafe float[] FinalNorm(LanguageModel target) =>
        new Span<float>(target.Weights.FinalNorm.Floats, target.Config.HiddenSize).ToArray();

    private static double[] Normed(double[] values, float epsilon)
    {
        var scale = 1 / Math.Sqrt(values.Average(value => value * value) + epsilon);
        return Array.ConvertAll(values, value => value * scale);
    }

    private static double Dot(ReadOnlySpan<float> a, double[] b)
    {
        var sum = 0d;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
