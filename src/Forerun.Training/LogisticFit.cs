namespace Forerun.Training;

/// <summary>Logistic regression with a few features by Newton's method with a line search, and a weak prior. Pure; thread-safe.</summary>
internal static class LogisticFit
{
    private const int Steps = 25;
    private const double Prior = 1e-2;

    /// <summary>The coefficients w of P(label) = σ(w · features).</summary>
    /// <param name="features">One array per example, all of one length.</param>
    /// <param name="labels">What happened.</param>
    /// <param name="start">Prior mean and first guess.</param>
    public static double[] Fit(IReadOnlyList<double[]> features, IReadOnlyList<bool> labels, double[] start)
    {
        var w = start.ToArray();
        var size = w.Length;
        for (var step = 0; step < Steps; step++)
        {
            var gradient = new double[size];
            var curvature = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(size, size);
            for (var i = 0; i < size; i++)
            {
                gradient[i] = Prior * (w[i] - start[i]);
                curvature[i, i] = Prior;
            }

            for (var n = 0; n < labels.Count; n++)
            {
                var x = features[n];
                var p = 1 / (1 + Math.Exp(-Dot(w, x)));
                for (var i = 0; i < size; i++)
                {
                    gradient[i] += (p - (labels[n] ? 1 : 0)) * x[i];
                    for (var j = 0; j < size; j++)
                    {
                        curvature[i, j] += p * (1 - p) * x[i] * x[j];
                    }
                }
            }

            var change = curvature.Cholesky().Solve(MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(gradient));
            var (rate, loss) = (1d, Loss(features, labels, w, start));
            var next = Step(w, change, rate);
            while (Loss(features, labels, next, start) > loss && rate > 1e-6)
            {
                rate /= 2;
                next = Step(w, change, rate);
            }

            w = next;
        }

        return w;
    }

    private static double[] Step(double[] w, MathNet.Numerics.LinearAlgebra.Vector<double> change, double rate) =>
        [.. w.Select((value, i) => value - (rate * change[i]))];

    private static double Loss(
        IReadOnlyList<double[]> features, IReadOnlyList<bool> labels, double[] w, double[] start)
    {
        var loss = w.Select((value, i) => Prior / 2 * (value - start[i]) * (value - start[i])).Sum();
        for (var n = 0; n < labels.Count; n++)
        {
            var x = Dot(w, features[n]) * (labels[n] ? -1 : 1);
            loss += x > 30 ? x : Math.Log(1 + Math.Exp(x));
        }

        return loss;
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0d;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }
}
