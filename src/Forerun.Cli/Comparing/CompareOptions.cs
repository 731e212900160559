using System.Collections.Immutable;
using System.CommandLine;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.Links;

namespace Forerun.Cli.Comparing;

/// <summary>The options of <c>forerun compare</c>.</summary>
internal sealed class CompareOptions
{
    private static readonly string[] AllModes = [.. ModeNames.Lossless.Select(ModeNames.Of)];

    public CommonOptions Common { get; } = new();

    public DrafterOptions Drafter { get; } = new();

    public LinkOptions Links { get; } = new(several: true);

    public Option<string[]> Prompts { get; } = new("--prompts")
    {
        Description = "Prompt files, JSON lines with \"id\" and \"turns\", of which the first is used; default: the bundled sets.",
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<int> Limit { get; } = new("--limit")
    {
        Description = "Most prompts of each file.",
        DefaultValueFactory = _ => 10,
    };

    public Option<string[]> Modes { get; } = new("--modes")
    {
        Description = "Modes to compare; autoregressive always runs. Default: all that the server offers.",
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<int[]> DraftLengths { get; } = new("--draft-length")
    {
        Description = "Most tokens drafted per round, 1 to 16; may be several.",
        DefaultValueFactory = _ => [4],
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<float[]> Temperatures { get; } = new("--temperature")
    {
        Description = "0 = greedy; above, tokens are sampled; may be several.",
        DefaultValueFactory = _ => [SamplingOptions.Default.Temperature],
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<ulong[]> Seeds { get; } = new("--seed")
    {
        Description = "Seeds of the sampling noise; may be several.",
        DefaultValueFactory = _ => [SamplingOptions.Default.Seed],
        AllowMultipleArgumentsPerToken = true,
    };

    public Option<string?> Output { get; } = new("--output")
    {
        Description = "Folder for the results: each finished generation, report.json and report.md. The same command goes on where it was stopped.",
    };

    public Option<string?> Emulate { get; } = EmulateOption.Create(
        "drafting, the target's passes and, where no link is named, the link's round trip");

    /// <summary>Adds all options to the command.</summary>
    public void AddTo(Command command)
    {
        Modes.AcceptOnlyFromAmong(AllModes);
        Common.MaxTokens.DefaultValueFactory = _ => 64;
        Option[] options =
        [
            Prompts, Limit, Modes, DraftLengths, Common.WholeDrafts, Temperatures, Seeds, Output, Emulate, Common.KeepAwake, Common.Model,
            Common.TopP, Common.TopK, Common.MinP, Common.RepetitionPenalty, Common.Acceptance, Common.MaxTokens, Common.Raw, Common.Json,
        ];
        foreach (var option in options)
        {
            command.Add(option);
        }

        Drafter.AddTo(command, Common.DraftModel);
        Links.AddTo(command);
    }

    /// <summary>Whether the modes were named, and must be offered.</summary>
    public bool ModesAreNamed(ParseResult parsed) => parsed.GetValue(Modes) is { Length: > 0 };

    /// <summary>Reads the prompt files.</summary>
    /// <exception cref="ArgumentException">Two files have the same name.</exception>
    public ImmutableArray<PromptSet> ReadPrompts(ParseResult parsed)
    {
        var files = parsed.GetValue(Prompts) is { Length: > 0 } named ? named : PromptFile.Bundled();
        ImmutableArray<PromptSet> sets =
            [.. files.Select(file => new PromptSet(Path.GetFileNameWithoutExtension(file), PromptFile.Read(file, parsed.GetValue(Limit))))];
        return sets.CountBy(set => set.Name).FirstOrDefault(name => name.Value > 1).Key is { } twice
            ? throw new ArgumentException($"Two prompt files are named \"{twice}\": rename one, so that the report can tell them apart.")
            : sets;
    }

    /// <summary>What is compared.</summary>
    public CompareSettings Settings(
        ParseResult parsed, string targetId, DraftSource draft, ImmutableArray<PromptSet> sets, ImmutableArray<LinkProfile> links) => new()
        {
            Target = targetId,
            Drafter = draft.Name,
            DrafterNumerics = draft.LanguageModel?.NumericsId,
            Prompts = [.. sets.Select(set => set.Setting)],
            Modes = ModesAreNamed(parsed) ? [.. parsed.GetRequiredValue(Modes)] : ModesFor(Common.AcceptanceOf(parsed)),
            Links = [.. links.Select(link => new LinkSetting(link.Name, link.Describe()))],
            LinkSeed = parsed.GetValue(Links.Seed),
            DraftLengths = [.. parsed.GetRequiredValue(DraftLengths).Distinct()],
            WholeDrafts = parsed.GetValue(Common.WholeDrafts),
            Temperatures = [.. parsed.GetRequiredValue(Temperatures).Distinct()],
            Seeds = [.. parsed.GetRequiredValue(Seeds).Distinct()],
            Sampling = new SamplingOptions
            {
                TopP = parsed.GetValue(Common.TopP),
                TopK = parsed.GetValue(Common.TopK),
                MinP = parsed.GetValue(Common.MinP),
                RepetitionPenalty = parsed.GetValue(Common.RepetitionPenalty),
                Acceptance = Common.AcceptanceOf(parsed),
            },
            MaxTokens = parsed.GetValue(Common.MaxTokens),
            Raw = parsed.GetValue(Common.Raw),
            Machine = Machine.This(),
            KeepAwake = parsed.GetValue(Common.KeepAwake),
            Emulated = EmulateOption.Profile(parsed, Emulate)?.Name,
            EmulatedTimes = EmulateOption.Profile(parsed, Emulate)?.Describe(),
            Commit = Machine.Commit,
        };

    /// <summary>All that can be decided by a rule.</summary>
    private static ImmutableArray<string> ModesFor(AcceptanceRule rule) =>
        [.. AllModes.Where(mode => rule != AcceptanceRule.Rejection || mode != ModeNames.Of(DecodingMode.Asynchronous))];
}
