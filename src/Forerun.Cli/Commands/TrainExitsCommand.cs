using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Inference;
using Forerun.Training;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun train-exits</c>: early exits for a target.</summary>
internal static class TrainExitsCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var defaults = new TrainingOptions();
        var options = new CommonOptions();
        var prompts = new Option<string>("--prompts")
        {
            Description = "Training prompts, JSON lines with \"prompt\". Keep evaluation prompts out.",
            Required = true,
        };
        var output = new Option<string>("--output")
        {
            Description = "The exit file; the report and a work folder lie beside it.",
            Required = true,
        };
        var tokens = new Option<int>("--tokens")
        {
            Description = "Tokens of generated text to train on.",
            DefaultValueFactory = _ => defaults.TrainingRows,
        };
        var rounds = new Option<int>("--rounds")
        {
            Description = "Rounds replayed on held-out prompts, for calibration and report.",
            DefaultValueFactory = _ => defaults.HeldOutRounds,
        };
        var rank = new Option<int>("--rank")
        {
            Description = "Size of the adapters' bottleneck, a multiple of 32.",
            DefaultValueFactory = _ => defaults.Rank,
        };
        var shortlist = new Option<int>("--shortlist")
        {
            Description = "Tokens of the shortlist.",
            DefaultValueFactory = _ => defaults.ShortlistSize,
        };
        var epochs = new Option<int>("--epochs")
        {
            Description = "Most passes over the text; training stops early when the held-out part gets worse.",
            DefaultValueFactory = _ => defaults.Epochs,
        };
        var candidates = Layers("--candidates", "Layers to look at; default: nine, evenly spaced.");
        var exits = Layers("--exits", "Exit layers to keep; default: those of the highest expected benefit.");
        var command = new Command("train-exits", "Train early exits for a target.")
        {
            options.Model, options.DraftModel, prompts, output, tokens, rounds, rank, shortlist, epochs, candidates, exits,
            options.Seed, options.Raw,
        };
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var target = LanguageModel.Load(BundledModels.Target(parsed.GetValue(options.Model)), options.Engine(parsed));
            using var draft = LanguageModel.Load(BundledModels.Draft(parsed.GetValue(options.DraftModel)), options.DraftEngine(parsed));
            var training = new ExitTraining(
                target,
                draft,
                defaults with
                {
                    TrainingRows = parsed.GetValue(tokens),
                    HeldOutRounds = parsed.GetValue(rounds),
                    Rank = parsed.GetValue(rank),
                    ShortlistSize = parsed.GetValue(shortlist),
                    Epochs = parsed.GetValue(epochs),
                    CandidateLayers = parsed.GetValue(candidates)?.ToImmutableArray() ?? [],
                    Exits = parsed.GetValue(exits)?.ToImmutableArray() ?? [],
                    Seed = parsed.GetValue(options.Seed),
                },
                parsed.GetRequiredValue(output));
            var texts = Read(parsed.GetRequiredValue(prompts));

            // On another thread, so that Ctrl+C is heard.
            var report = await Task.Run(
                () => training.Run(
                    [.. texts.Select(text => Prompt.User(target.TextFormat, text, parsed.GetValue(options.Raw)))],
                    new ProgressLine().Show,
                    cancellationToken),
                cancellationToken);
            Console.Error.WriteLine();
            Console.WriteLine(report.ToMarkdown());
            return ExitCodes.Success;
        });
        return command;
    }

    private static Option<int[]?> Layers(string name, string description) => new(name)
    {
        Description = description,
        AllowMultipleArgumentsPerToken = true,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',')).Select(layer =>
        {
            if (int.TryParse(layer, out var number))
            {
                return number;
            }

            result.AddError($"{name} takes layer numbers separated by commas, got \"{layer}\".");
            return 0;
        })],
    };

    private static IEnumerable<string> Read(string path)
    {
        var number = 0;
        foreach (var line in File.ReadLines(path))
        {
            number++;
            yield return Parse(line) ?? throw new InvalidDataException(
                $"\"{path}\" line {number} is not a training prompt: expected {{\"prompt\": \"…\"}}.");
        }
    }

    private static string? Parse(string line)
    {
        try
        {
            return JsonElement.Parse(line).GetProperty("prompt").GetString();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }
}
