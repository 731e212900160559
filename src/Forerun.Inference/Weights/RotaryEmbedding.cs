using Forerun.Core.Numerics;
using Forerun.Inference.Gguf;

namespace Forerun.Inference.Weights;

/// <summary>Angles of the rotary embedding, by own arithmetic: the same bits on every machine. Su et al. 2021, arXiv
/// 2104.09864. Immutable; thread-safe.</summary>
internal sealed class RotaryEmbedding
{
    private readonly double[] _frequencies;

    /// <summary>Reads scaling and factors: frequency i = theta^(-2i / headDim) / (scaling factor * the file's factor i).
    /// </summary>
    public RotaryEmbedding(GgufFile file, ModelConfig config)
    {
        _frequencies = new double[config.HeadDim / 2];
        var factors = Factors(file, _frequencies.Length);
        for (var i = 0; i < _frequencies.Length; i++)
        {
            var frequency = DeterministicMath.Pow(config.RopeTheta, -2.0 * i / config.HeadDim);
            _frequencies[i] = frequency / config.RopeScalingFactor / factors[i];
        }
    }

    /// <summary>Cosines and sines of a position, <c>[headDim / 2]</c> each.</summary>
    public void Fill(int position, Span<float> cosines, Span<float> sines)
    {
        for (var i = 0; i < _frequencies.Length; i++)
        {
            var (sine, cosine) = DeterministicMath.SinCos(position * _frequencies[i]);
            cosines[i] = (float)cosine;
            sines[i] = (float)sine;
        }
    }

    private static float[] Factors(GgufFile file, int count)
    {
        var factors = new float[count];
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
