using System.Collections.Immutable;
using Forerun.Inference;

namespace Forerun.Training;

/// <summary>How exits are trained. Immutable.</summary>
public sealed record TrainingOptions
{
    /// <summary>Rows of generated text to train on. Default 100,000.</summary>
    public int TrainingRows { get; init; } = 100_000;

    /// <summary>Rounds replayed on prompts that were not trained on; for calibration and report. Default
    /// 3,000.</summary>
    public int HeldOutRounds { get; init; } = 3_000;

    /// <summary>Most output tokens of a prompt. Default 128.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>Prompts longer than this many tokens are left out. Default 256.</summary>
    public int MaxPromptTokens { get; init; } = 256;

    /// <summary>Layers to look at; empty (default) = nine, evenly spaced between a fifth and nine tenths of the depth.
    /// </summary>
    public ImmutableArray<int> CandidateLayers { get; init; } = [];

    /// <summary>Exit layers to write; empty (default) = chosen by expected benefit.</summary>
    public ImmutableArray<int> Exits { get; init; } = [];

    /// <summary>Most exits that are chosen. Default 2.</summary>
    public int MaxExits { get; init; } = 2;

    /// <summary>Bottleneck size r, a multiple of 32. Default 256.</summary>
    public int Rank { get; init; } = 256;

    /// <summary>Tokens of the shortlist. Default 2,048.</summary>
    public int ShortlistSize { get; init; } = 2_048;

    /// <summary>Most passes over the training rows. Default 4.</summary>
    public int Epochs { get; init; } = 4;

    /// <summary>Draft length of the replayed rounds. Default 4.</summary>
    public int DraftLength { get; init; } = 4;

    /// <summary>Seed of sampling, order and initial weights. Default 0.</summary>
    public ulong Seed { get; init; }

    /// <summary>The candidate layers of a model.</summary>
    public ImmutableArray<int> LayersOf(int numHiddenLayers)
    {
        if (!CandidateLayers.IsEmpty)
        {
            return CandidateLayers;
        }

        const int Count = 9;
        var first = numHiddenLayers / 5d;
        var step = ((0.9 * numHiddenLayers) - first) / (Count - 1);
        return [.. Enumerable.Range(0, Count)
            .Select(i => (int)Math.Clamp(Math.Round(first + (i * step)), 1, Math.Max(1, numHiddenLayers - 1)))
            .Distinct()];
    }

    /// <summary>Checks the options against a target.</summary>
    /// <exception cref="ArgumentException">One is out of range.</exception>
    internal void Validate(ModelConfig config)
    {
        var layers = LayersOf(config.NumHiddenLayers);
        if (Rank < 32 || Rank % 32 != 0 || ShortlistSize < 1 || ShortlistSize > config.VocabSize || DraftLength is < 1 or > 16
            || TrainingRows < 1 || HeldOutRounds < 8 || Epochs < 0 || config.HeadRows != config.VocabSize)
        {
            throw new ArgumentException(
                $"Exits cannot be trained like this: expected a rank that is a multiple of 32, a shortlist of 1 to {config.VocabSize} tokens, draft length 1 to 16, at least 1 row and 8 rounds, and a target whose head covers its vocabulary; "
                + $"got rank {Rank}, {ShortlistSize} tokens, draft length {DraftLength}, {TrainingRows} rows, {HeldOutRounds} rounds, {config.HeadRows} of {config.VocabSize} tokens.");
        }

        var ascending = layers.Zip(layers.Skip(1)).All(pair => pair.First < pair.Second);
        if (!ascending || layers[0] < 1 || layers[^1] >= config.NumHiddenLayers || Exits.Except(layers).Any())
        {
            throw new ArgumentException(
                $"Exit layers must ascend between 1 and {config.NumHiddenLayers - 1}, and exits be among the candidates; got candidates {string.Join(", ", layers)}, exits {string.Join(", ", Exits)}.");
        }
    }
}
