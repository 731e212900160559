using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Forerun.Training;

/// <summary>Ridge regression from an exit's hidden state to the final one, cut to the rank that keeps most of the logits: the
/// adapter that training starts from (a low-rank tuned lens, Belrose et al. 2023, arXiv 2303.08112).</summary>
internal static class RidgeAdapter
{
    /// <summary>silu of this is 1: a gate that passes everything on.</summary>
    public const float OpenGate = 1.2784645f;

    private const int ChunkRows = 1024;
    private const double Regularisation = 1e-3;

    /// <summary>Fits the adapter of a layer.</summary>
    /// <param name="set">Training rows.</param>
    /// <param name="gemm">Matrix products.</param>
    /// <param name="layer">Layers run at the exit.</param>
    /// <param name="finalLayer">The target's number of layers.</param>
    /// <param name="count">The first so many rows are used.</param>
    /// <param name="rank">Bottleneck size.</param>
    public static AdapterWeights Fit(TrainingSet set, Gemm gemm, int layer, int finalLayer, int count, int rank)
    {
        var size = set.HiddenSize;
        var (squares, products) = Moments(set, gemm, layer, finalLayer, count);
        var ridge = squares.Clone();
        var shift = Regularisation * squares.Diagonal().Sum() / (size + 1);
        for (var i = 0; i < size; i++)
        {
            ridge[i, i] += shift;
        }

        var map = ridge.Cholesky().Solve(products);
        var weights = new AdapterWeights(rank, size) { Bias = [.. map.Row(size).Select(value => (float)value)] };
        weights.GateBias.AsSpan().Fill(OpenGate);
        Factorise(map.SubMatrix(0, size, 0, size), squares.SubMatrix(0, size, 0, size), LogitMetric(set, gemm), weights);
        return weights;
    }

    /// <summary>Sums of x xᵀ and x (y - x)ᵀ, where x has a 1 at its end, <c>[hiddenSize + 1, …]</c>.</summary>
    private static (Matrix<double> Squares, Matrix<double> Products) Moments(
        TrainingSet set, Gemm gemm, int layer, int finalLayer, int count)
    {
        var size = set.HiddenSize;
        var squares = Matrix<double>.Build.Dense(size + 1, size + 1);
        var products = Matrix<double>.Build.Dense(size + 1, size);
        var rows = new float[ChunkRows * size];
        var final = new float[ChunkRows * size];
        var (x, y) = (new float[(size + 1) * ChunkRows], new float[size * ChunkRows]);
        var (xx, xy) = (new float[(size + 1) * (size + 1)], new float[(size + 1) * size]);
        for (var start = 0; start < count; start += ChunkRows)
        {
            int[] chunk = [.. Enumerable.Range(start, Math.Min(ChunkRows, count - start))];
            set.Copy(layer, chunk, rows);
            set.Copy(finalLayer, chunk, final);
            TensorPrimitives.Subtract(final, rows, final);
            rows.AsSpan(chunk.Length * size).Clear();
            final.AsSpan(chunk.Length * size).Clear();
            Gemm.Transpose(rows, x, ChunkRows, size);
            x.AsSpan(size * ChunkRows).Clear();
            x.AsSpan(size * ChunkRows, chunk.Length).Fill(1f);
            Gemm.Transpose(final, y, ChunkRows, size);
            gemm.Multiply(x, x, xx, size + 1, size + 1, ChunkRows);
            gemm.Multiply(x, y, xy, size + 1, size, ChunkRows);
            Accumulate(squares, xx);
            Accumulate(products, xy);
        }

        return (squares, products);
    }

    private static void Accumulate(Matrix<double> sum, float[] values)
    {
        for (var row = 0; row < sum.RowCount; row++)
        {
            for (var column = 0; column < sum.ColumnCount; column++)
            {
                sum[row, column] += values[(row * sum.ColumnCount) + column];
            }
        }
    }

    /// <summary>How much an error of the final state moves the logits against each other: the covariance of the head's rows.
    /// </summary>
    private static Matrix<double> LogitMetric(TrainingSet set, Gemm gemm)
    {
        var size = set.HiddenSize;
        var tokens = set.Head.Length / size;
        var transposed = new float[set.Head.Length];
        Gemm.Transpose(set.Head, transposed, tokens, size);
        for (var i = 0; i < size; i++)
        {
            var row = transposed.AsSpan(i * tokens, tokens);
            TensorPrimitives.Subtract(row, TensorPrimitives.Sum<float>(row) / tokens, row);
        }

        var products = new float[size * size];
        gemm.Multiply(transposed, transposed, products, size, size, tokens);
        var metric = Matrix<double>.Build.Dense(size, size, (i, j) => products[(i * size) + j]);
        var shift = 1e-3 * metric.Diagonal().Sum() / size;
        return metric + (shift * Matrix<double>.Build.DenseIdentity(size));
    }

    /// <summary>The best map of the rank: the leading directions of the mapped rows, measured in logits.</summary>
    private static void Factorise(Matrix<double> map, Matrix<double> squares, Matrix<double> metric, AdapterWeights weights)
    {
        var evd = metric.Evd(Symmetricity.Symmetric);
        var roots = evd.EigenValues.Map(value => Math.Sqrt(Math.Max(value.Real, 1e-12)));
        var root = evd.EigenVectors * Matrix<double>.Build.DiagonalOfDiagonalVector(roots) * evd.EigenVectors.Transpose();
        var inverse = evd.EigenVectors * Matrix<double>.Build.DiagonalOfDiagonalVector(1 / roots) * evd.EigenVectors.Transpose();
        var mapped = map * root;
        var spread = mapped.Transpose() * squares * mapped;
        var directions = ((spread + spread.Transpose()) / 2).Evd(Symmetricity.Symmetric).EigenVectors;
        var size = map.RowCount;
        for (var j = 0; j < Math.Min(weights.Rank, size); j++)
        {
            // Eigenvalues ascend.
            var direction = directions.Column(size - 1 - j);
            var down = mapped * direction;
            var up = inverse * direction;
            var balance = Math.Sqrt(Math.Max(up.L2Norm(), 1e-12) / Math.Max(down.L2Norm(), 1e-12));
            for (var i = 0; i < size; i++)
            {
                weights.Down[(j * size) + i] = (float)(down[i] * balance);
                weights.Up[(i * weights.Rank) + j] = (float)(up[i] / balance);
            }
        }
    }
}
