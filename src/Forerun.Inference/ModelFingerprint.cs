using System.Text;
using Forerun.Core.Numerics;
using Forerun.Inference.Gguf;

namespace Forerun.Inference;

/// <summary>Tells model files apart without reading them whole.</summary>
internal static class ModelFingerprint
{
    private const int SampleBytes = 4096;

    /// <summary><c>name@hex</c>: SHA-256 (first 8 bytes) over the config and, per tensor, its name, type, shape and first
    /// 4 KiB.</summary>
    public static string Of(GgufFile file, ModelConfig config)
    {
        var hash = new Sha256();
        hash.Append(Encoding.UTF8.GetBytes(
            $"{config.Architecture} {config.RmsNormEps:R} {config.RopeTheta:R} {config.RopeScalingFactor:R} {config.MaxPositionEmbeddings}"));
        foreach (var tensor in file.Tensors.Values.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            hash.Append(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Type} {tensor.ShapeText}"));
            var row = file.Row(tensor, 0);
            hash.Append(row[..Math.Min(row.Length, SampleBytes)]);
        }

        return $"{config.Name}@{Convert.ToHexStringLower(hash.Finish().AsSpan(0, 8))}";
    }
}
