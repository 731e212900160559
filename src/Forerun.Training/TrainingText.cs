using System.Collections.Immutable;
using System.Globalization;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>The text that the frozen target wrote for training, in shards on disk: what is there is not made again.
/// </summary>
/// <param name="target">The target.</param>
/// <param name="prompts">Prompt token ids; the order decides the shards.</param>
/// <param name="options">How much.</param>
/// <param name="folder">Where the shards are.</param>
internal sealed class TrainingText(
    LanguageModel target, IReadOnlyList<ImmutableArray<int>> prompts, TrainingOptions options, string folder)
{
    private const int PromptsPerShard = 48;

    /// <summary>Sampling of a prompt: every other one greedy, the others at temperature 0.8 with their own seeds.</summary>
    public static SamplingOptions SamplingOf(int prompt, ulong seed) => prompt % 2 == 0
        ? SamplingOptions.Default
        : new SamplingOptions { Temperature = 0.8f, TopP = 0.95f, Seed = seed + (ulong)prompt };

    /// <summary>Makes shards until there are enough rows.</summary>
    /// <returns>The shards' paths, in order.</returns>
    /// <exception cref="InvalidDataException">There are not enough prompts.</exception>
    public IReadOnlyList<string> Complete(Action<string> progress, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var layers = options.LayersOf(target.Config.NumHiddenLayers).Add(target.Config.NumHiddenLayers);
        List<string> shards = [];
        var rows = 0;
        using var generator = new TextGenerator(target, layers, options.MaxTokens);
        for (var shard = 0; rows < options.TrainingRows; shard++)
        {
            var range = Enumerable.Range(shard * PromptsPerShard, PromptsPerShard).Where(i => i < prompts.Count).ToArray();
            if (range.Length == 0)
            {
                throw new InvalidDataException(
                    $"{prompts.Count} prompts gave {rows} of {options.TrainingRows} rows. Give more prompts, or ask for fewer rows.");
            }

            var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"text-{shard:D4}.safetensors"));
            if (!File.Exists(path))
            {
                var before = rows;
                var made = generator.Generate(
                    range.Select(i => new TrainingPrompt(prompts[i], SamplingOf(i, options.Seed))),
                    count => progress($"text: {before + count} of {options.TrainingRows} rows"),
                    cancellationToken);
                made.Write(path, Metadata());
            }

            rows += CountOf(path, layers);
            shards.Add(path);
        }

        progress($"text: {rows} rows in {shards.Count} shards");
        return shards;
    }

    private Dictionary<string, string> Metadata() => new()
    {
        ["target"] = target.Id,
        ["numerics"] = target.NumericsId,
        ["options"] = Signature,
    };

    /// <summary>What a shard depends on beside the target.</summary>
    private string Signature => string.Create(
        CultureInfo.InvariantCulture, $"seed {options.Seed}, {options.MaxTokens} tokens, prompts of {options.MaxPromptTokens}");

    private int CountOf(string path, ImmutableArray<int> layers)
    {
        var file = SafetensorsFile.Open(path);
        if (Metadata().Any(entry => file.Text(entry.Key) != entry.Value))
        {
            throw new InvalidDataException(
                $"The text in \"{folder}\" was made for {file.Text("target")} ({file.Text("options")}), not for {target.Id} ({Signature}). Remove the folder, or name another output file.");
        }

        var count = file.Tensor("tokens", SafetensorsType.I32, -1).Shape[0];
        foreach (var layer in layers)
        {
            file.Tensor($"hidden.{layer}", SafetensorsType.F16, count, target.Config.HiddenSize);
        }

        return count;
    }
}
