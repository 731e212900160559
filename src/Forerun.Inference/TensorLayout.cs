using Forerun.Inference.Gguf;

namespace Forerun.Inference;

/// <summary>Which tensors a model of a given config has, by name and shape.</summary>
internal static class TensorLayout
{
    /// <summary>Optional divisors of the rotary frequencies, <c>[headDim / 2]</c>.</summary>
    public const string RopeFactors = "rope_freqs.weight";

    /// <summary>Refuses a file in which a tensor is missing, has another shape or a type that cannot be decoded, or
    /// that holds a tensor the model would not use: leaving it out would change the text.</summary>
    public static void Check(GgufFile file, ModelConfig config)
    {
        var expected = new Dictionary<string, long[]>();
        foreach (var (name, shape) in Required(config))
        {
            expected[name] = shape;
            CheckTensor(file, file.Tensor(name), shape);
        }

        if (file.Tensors.TryGetValue(RopeFactors, out var factors))
        {
            expected[RopeFactors] = [config.HeadDim / 2];
            CheckTensor(file, factors, expected[RopeFactors]);
        }

        var surplus = file.Tensors.Keys.FirstOrDefault(name => !expected.ContainsKey(name));
        if (surplus is not null)
        {
            throw file.Metadata.Invalid($"tensor \"{surplus}\" is no part of a \"{config.Architecture}\" model as it "
                + "is supported here. Use a model without it.");
        }
    }

    private static void CheckTensor(GgufFile file, GgufTensor tensor, long[] shape)
    {
        if (!tensor.Shape.AsSpan().SequenceEqual(shape))
        {
            throw file.Metadata.Invalid($"tensor \"{tensor.Name}\" has shape {tensor.ShapeText}; "
                + $"expected [{string.Join(", ", shape)}].");
        }

        TensorDecoder.ThrowIfUnsupported(tensor);
    }

    private static IEnumerable<(string Name, long[] Shape)> Required(ModelConfig config)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        long queries = (long)config.NumAttentionHeads * config.HeadDim;
        long keys = (long)config.NumKeyValueHeads * config.HeadDim;
        yield return ("token_embd.weight", [config.EmbeddingRows, hidden]);
        yield return ("output_norm.weight", [hidden]);
        if (!config.TieWordEmbeddings)
        {
            var headRows = config.DraftVocabulary.IsEmpty ? config.EmbeddingRows : config.HeadRows;
            yield return ("output.weight", [headRows, hidden]);
        }

        for (var layerIndex = 0; layerIndex < config.NumHiddenLayers; layerIndex++)
        {
            var prefix = $"blk.{layerIndex}.";
            yield return ($"{prefix}attn_norm.weight", [hidden]);
            yield return ($"{prefix}attn_q.weight", [queries, hidden]);
            yield return ($"{prefix}attn_k.weight", [keys, hidden]);
            yield return ($"{prefix}attn_v.weight", [keys, hidden]);
            yield return ($"{prefix}attn_output.weight", [hidden, queries]);
            if (config.Family.HasAttentionBiases)
            {
                yield return ($"{prefix}attn_q.bias", [queries]);
                yield return ($"{prefix}attn_k.bias", [keys]);
                yield return ($"{prefix}attn_v.bias", [keys]);
            }

            if (config.Family.HasQueryKeyNorm)
            {
                yield return ($"{prefix}attn_q_norm.weight", [config.HeadDim]);
                yield return ($"{prefix}attn_k_norm.weight", [config.HeadDim]);
            }

            yield return ($"{prefix}ffn_norm.weight", [hidden]);
            yield return ($"{prefix}ffn_gate.weight", [intermediate, hidden]);
            yield return ($"{prefix}ffn_up.weight", [intermediate, hidden]);
            yield return ($"{prefix}ffn_down.weight", [hidden, intermediate]);
        }
    }
}
