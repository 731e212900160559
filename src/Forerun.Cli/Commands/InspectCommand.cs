using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Inference;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Spectre.Console;

namespace Forerun.Cli.Commands;

/// <summary>Tensors of one type and use in a file.</summary>
/// <param name="Type">The type's name.</param>
/// <param name="Use"><c>matrices</c>, <c>embedding</c> (apart from the head) or <c>vectors</c>.</param>
/// <param name="Tensors">How many.</param>
/// <param name="Bytes">Their size in the file.</param>
/// <param name="Becomes">The engine's own format, and what that does to the values.</param>
internal sealed record TensorTypeReport(string Type, string Use, int Tensors, long Bytes, string Becomes);

/// <summary>What a model file holds.</summary>
internal sealed record InspectReport(
    string File,
    int GgufVersion,
    int Shards,
    ModelConfig Config,
    string TokenizerFingerprint,
    ImmutableArray<int> EndTokens,
    string? ChatTemplate,
    string? ChatTemplateProblem,
    int DraftVocabularySize,
    long FileBytes,
    ImmutableArray<TensorTypeReport> TensorTypes,
    ImmutableArray<string> MetadataKeys);

/// <summary><c>forerun inspect</c>: what a file holds and what it becomes.</summary>
internal static class InspectCommand
{
    private const string Matrices = "matrices";
    private const string Embedding = "embedding";
    private const string Vectors = "vectors";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A GGUF file; of a split model any shard." };
        var json = new CommonOptions().Json;
        var command = new Command("inspect", "Show what a model file holds, and whether it is supported.") { file, json };
        command.SetAction(parsed =>
        {
            var report = Inspect(parsed.GetRequiredValue(file));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.InspectReport));
            }
            else
            {
                Show(report);
            }

            return ExitCodes.Success;
        });
        return command;
    }

    private static InspectReport Inspect(string path)
    {
        using var file = GgufFile.Open(path);
        var tokenizer = Tokenizer.From(file);
        var config = ModelConfig.From(file);
        var template = ChatTemplate.From(file, out var problem);
        return new InspectReport(
            path,
            file.Version,
            file.ShardCount,
            config with { DraftVocabulary = [] },
            tokenizer.Fingerprint,
            tokenizer.EndTokens,
            template?.Name,
            problem,
            config.DraftVocabulary.Length,
            file.Length,
            [.. file.Tensors.Values.GroupBy(tensor => (tensor.Type, Use: UseOf(tensor, config))).OrderBy(group => group.Key)
                .Select(group => new TensorTypeReport(
                    group.Key.Type.ToString(),
                    group.Key.Use,
                    group.Count(),
                    group.Sum(tensor => tensor.ByteLength),
                    Becomes(group.Key.Type, group.Key.Use)))],
            [.. file.Metadata.Keys.Order(StringComparer.Ordinal)]);
    }

    private static string UseOf(GgufTensor tensor, ModelConfig config) =>
        tensor.Shape.Length == 1 ? Vectors
        : tensor.Name == "token_embd.weight" && !config.TieWordEmbeddings ? Embedding
        : Matrices;

    private static string Becomes(GgufTensorType type, string use) => use switch
    {
        Vectors => "F32, exact",
        Embedding => "F32, exact, row by row from the file",
        _ => LanguageModel.PackedFormat(type)!,
    };

    private static void Show(InspectReport report)
    {
        var c = report.Config;
        var grid = new Grid().AddColumn().AddColumn();
        grid.AddRow("File", Markup.Escape($"{report.File} (GGUF v{report.GgufVersion}, {(report.Shards > 1 ? $"{report.Shards} shards, " : "")}{report.FileBytes / 1e6:F1} MB)"));
        grid.AddRow("Model", Markup.Escape($"{c.Name} ({c.Architecture})"));
        grid.AddRow("Layers", $"{c.NumHiddenLayers} of hidden size {c.HiddenSize}, feed-forward {c.IntermediateSize}");
        grid.AddRow("Attention", $"{c.NumAttentionHeads} heads of {c.HeadDim}, {c.NumKeyValueHeads} KV heads");
        grid.AddRow("Context", $"{c.MaxPositionEmbeddings} positions, RoPE base {c.RopeTheta}, scaling {c.RopeScalingFactor}");
        grid.AddRow("Vocabulary", Vocabulary(report));
        grid.AddRow("Tokenizer", Markup.Escape($"{report.TokenizerFingerprint}, end tokens {string.Join(", ", report.EndTokens)}"));
        grid.AddRow("Chat template", Markup.Escape(report.ChatTemplate ?? report.ChatTemplateProblem!));
        AnsiConsole.Write(grid);
        var table = new Table().AddColumns("Tensor type", "Use", "Tensors", "MB", "Becomes");
        foreach (var type in report.TensorTypes)
        {
            table.AddRow(type.Type, type.Use, $"{type.Tensors}", $"{type.Bytes / 1e6:F1}", type.Becomes);
        }

        AnsiConsole.Write(table);
    }

    private static string Vocabulary(InspectReport report)
    {
        var c = report.Config;
        var head = report.DraftVocabularySize > 0 ? report.DraftVocabularySize : c.VocabSize;
        var padding = c.EmbeddingRows - c.VocabSize;
        return $"{c.VocabSize} tokens, head of {head} rows{(c.TieWordEmbeddings ? " (tied)" : "")}"
            + (padding > 0 ? $", {padding} rows of padding left out" : "");
    }
}
