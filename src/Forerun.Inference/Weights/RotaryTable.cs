using Forerun.Core.Numerics;
using Forerun.Inference.Execution;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Weights;

/// <summary>Cosines and sines of the rotary embedding, <c>[maxPositions, headDim / 2]</c> each, by own arithmetic: the
/// same bits on every machine. Su et al. 2021, arXiv 2104.09864.</summary>
internal sealed unsafe class RotaryTable : IDisposable
{
    private readonly NativeBuffer _cosines;
    private readonly NativeBuffer _sines;
    private readonly int _half;

    /// <summary>Fills the table: angle = position * theta^(-2i / headDim) / (scaling factor * the file's factor i).</summary>
    public RotaryTable(GgufFile file, ModelConfig config, WorkerPool workers)
    {
        _half = config.HeadDim / 2;
        var frequencies = new double[_half];
        var factors = Factors(file);
        for (var i = 0; i < _half; i++)
        {
            var frequency = DeterministicMath.Pow(config.RopeTheta, -2.0 * i / config.HeadDim);
            frequencies[i] = frequency / config.RopeScalingFactor / factors[i];
        }

        var positions = config.MaxPositionEmbeddings;
        _cosines = new NativeBuffer(4L * positions * _half);
        _sines = new NativeBuffer(4L * positions * _half);
        workers.Run(worker => Fill(
            frequencies,
            (int)((long)positions * worker / workers.Count),
            (int)((long)positions * (worker + 1) / workers.Count)));
    }

    /// <summary>Cosines of a position, <c>[headDim / 2]</c>.</summary>
    public float* Cosines(int position) => _cosines.Floats + ((long)position * _half);

    /// <summary>Sines of a position, <c>[headDim / 2]</c>.</summary>
    public float* Sines(int position) => _sines.Floats + ((long)position * _half);

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }

    private void Fill(double[] frequencies, int start, int end)
    {
        for (var position = start; position < end; position++)
        {
            for (var i = 0; i < _half; i++)
            {
                var (sine, cosine) = DeterministicMath.SinCos(position * frequencies[i]);
                Cosines(position)[i] = (float)cosine;
                Sines(position)[i] = (float)sine;
            }
        }
    }

    private float[] Factors(GgufFile file)
    {
        var factors = new float[_half];
        if (file.Tensors.TryGetValue(TensorLayout.RopeFactors, out var tensor))
        {
            TensorDecoder.DecodeRow(tensor.Type, file.Row(tensor, 0), factors);
        }
        else
        {
            Array.Fill(factors, 1f);
        }

        return factors;
    }
}
