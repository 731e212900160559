using System.CommandLine;
using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.Cli;

/// <summary>Options that choose a target's exits. Each command makes its own instance.</summary>
internal sealed class ExitOptions
{
    /// <summary>The name under which exits are found beside their model.</summary>
    public const string FileName = "exits.safetensors";

    public Option<string?> File { get; } = new("--exits-file")
    {
        Description = $"Exit file of the target, made with train-exits; default: {FileName} beside the model, if it is the model's.",
    };

    public Option<int[]> Layers { get; } = new("--exits")
    {
        Description = "Use only these exit layers of the file; 0 = none.",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(File);
        command.Add(Layers);
    }

    /// <summary>Loads the exits of a target; null where there are none.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="target">The target.</param>
    /// <param name="targetPath">Its file.</param>
    /// <exception cref="InvalidDataException">The file is damaged, of another target, or lacks a layer.</exception>
    public ExitHeads? Load(ParseResult parsed, LanguageModel target, string targetPath)
    {
        int[] layers = parsed.GetValue(Layers) ?? [];
        if (layers is [0])
        {
            return null;
        }

        var file = parsed.GetValue(File) is { } path ? ExitFile.Open(path) : Beside(target, targetPath);
        return file is null ? null : new ExitHeads(file.Only(layers), target);
    }

    private static ExitFile? Beside(LanguageModel target, string targetPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(targetPath))!, FileName);
        return System.IO.File.Exists(path) && ExitFile.Open(path) is { } file && file.TargetId == target.Id ? file : null;
    }
}
