using Forerun.Core.Numerics;
using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

/// <summary>What a model computes for one row: hidden states after 0, 1, … all layers, and logits.</summary>
internal sealed record RowTrace(float[][] Hidden, float[] Logits)
{
    /// <summary>Decodes token by token on the plain path: the result that all others must equal.</summary>
    public static RowTrace[] Decode(string folder, WeightFormat weights, ReadOnlySpan<int> tokens)
    {
        using var model = TinyModels.Load(folder, weights, threads: 1, InstructionSet.Portable);
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(1, 1);
        var batch = new ForwardBatch();
        var rows = new RowTrace[tokens.Length];
        for (var i = 0; i < tokens.Length; i++)
        {
            batch.Clear();
            batch.Add(cache, tokens.Slice(i, 1), 1);
            pass.Begin(batch);
            var hidden = new float[model.Config.NumHiddenLayers + 1][];
            for (var layers = 0; layers < hidden.Length; layers++)
            {
                pass.RunLayers(layers);
                hidden[layers] = pass.HiddenStates(0).ToArray();
            }

            pass.RunHead();
            rows[i] = new RowTrace(hidden, pass.Logits(0).ToArray());
        }

        return rows;
    }
}
