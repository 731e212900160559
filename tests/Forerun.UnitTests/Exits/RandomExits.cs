using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.UnitTests.Exits;

/// <summary>Exits with random weights, and hidden states of a real pass.</summary>
internal static class RandomExits
{
    /// <summary>Exits after the given layers, with a shortlist of every third token.</summary>
    public static ExitFile File(LanguageModel target, params int[] layers)
    {
        var random = new Random(5);
        var hiddenSize = target.Config.HiddenSize;
        return new ExitFile
        {
            TargetId = target.Id,
            NumericsId = target.NumericsId,
            Summary = "random",
            HiddenSize = hiddenSize,
            Shortlist = [.. Enumerable.Range(0, (target.Config.VocabSize - 1) / 3).Select(i => (3 * i) + 1)],
            Exits = [.. layers.Select(layer => new ExitAdapter
            {
                Layer = layer,
                Rank = 32,
                Scale = [.. Enumerable.Range(0, hiddenSize).Select(i => 0.5f + (i % 7))],
                Down = Values(32 * hiddenSize),
                Gate = Values(32 * hiddenSize),
                GateBias = Values(32),
                Up = Values(32 * hiddenSize),
                Bias = Values(hiddenSize),
                Sampled = new ExitCalibration(0.5f, new LeadCurve(0.1f, 0.9f, 0.2f), new LeadCurve(-1f, 0.5f, 0.1f), 0.2f, 0.8f),
            })],
        };

        // Half precision keeps them as they are.
        float[] Values(int count) =>
            [.. Enumerable.Range(0, count).Select(_ => (float)(Half)((random.NextSingle() - 0.5f) / 4))];
    }

    /// <summary>Hidden states after some layers, row after row, and after all layers.</summary>
    public static (float[] Hidden, float[] Final) Hidden(LanguageModel target, int layer, ReadOnlySpan<int> tokens)
    {
        using var cache = target.CreateCache();
        using var pass = target.CreatePass(tokens.Length, 0);
        var batch = new ForwardBatch();
        batch.Add(cache, tokens, 0);
        pass.Begin(batch);
        pass.RunLayers(layer);
        var hidden = Rows(pass, tokens.Length);
        pass.RunLayers(target.Config.NumHiddenLayers);
        return (hidden, Rows(pass, tokens.Length));
    }

    private static float[] Rows(ForwardPass pass, int count) =>
        [.. Enumerable.Range(0, count).SelectMany(row => pass.HiddenStates(row).ToArray())];
}
