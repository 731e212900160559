using System.Collections.Immutable;
using System.CommandLine;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli;

/// <summary>Options that several commands share. Each command makes its own instance.</summary>
internal sealed class CommonOptions
{
    public Option<string?> Model { get; } = new("--model")
    {
        Description = "Target model, a GGUF file; default: the bundled SmolLM2-135M-Instruct.",
    };

    public Option<string?> DraftModel { get; } = new("--draft-model")
    {
        Description = "Draft model, a GGUF file with the target's tokenizer; default: the bundled forerun-draft.",
    };

    public Option<float> Temperature { get; } = new("--temperature")
    {
        Description = "0 = greedy; above, tokens are sampled.",
        DefaultValueFactory = _ => SamplingOptions.Default.Temperature,
    };

    public Option<float> TopP { get; } = new("--top-p")
    {
        Description = "Keep the most probable tokens up to this sum; 1 = all.",
        DefaultValueFactory = _ => SamplingOptions.Default.TopP,
    };

    public Option<int> TopK { get; } = new("--top-k")
    {
        Description = "Keep the k most probable tokens; 0 = all.",
        DefaultValueFactory = _ => SamplingOptions.Default.TopK,
    };

    public Option<float> MinP { get; } = new("--min-p")
    {
        Description = "Drop tokens below this share of the most probable one; 0 = none.",
        DefaultValueFactory = _ => SamplingOptions.Default.MinP,
    };

    public Option<float> RepetitionPenalty { get; } = new("--repetition-penalty")
    {
        Description = "Makes recent tokens less likely; 1 = off.",
        DefaultValueFactory = _ => SamplingOptions.Default.RepetitionPenalty,
    };

    public Option<ulong> Seed { get; } = new("--seed") { Description = "Seed of the sampling noise." };

    public Option<string> Acceptance { get; } = new("--acceptance")
    {
        Description = "What decides on draft tokens when tokens are sampled: shared-noise = the target's own draw, whoever drafts; "
            + "rejection = rejection sampling: accepts more, the same distribution, but the text depends on who drafts, and how much.",
        DefaultValueFactory = _ => RuleNames.Of(AcceptanceRule.SharedNoise),
    };

    public Option<int> MaxTokens { get; } = new("--max-tokens")
    {
        Description = "Most output tokens; 0 = until the context is full.",
        DefaultValueFactory = _ => 256,
    };

    public Option<int> DraftLength { get; } = new("--draft-length")
    {
        Description = "Most tokens drafted per round, 1 to 16.",
        DefaultValueFactory = _ => 4,
    };

    public Option<bool> WholeDrafts { get; } = new("--whole-drafts")
    {
        Description = "Drafts always have their whole length. By default a draft ends where the next token costs more time than it is "
            + "expected to save.",
    };

    public Option<bool> Raw { get; } = new("--raw") { Description = "The prompt as it is, without a chat template." };

    public Option<int> Threads { get; } = new("--threads") { Description = "Worker threads; 0 = one per core." };

    public Option<bool> Pin { get; } = new("--pin") { Description = "Bind each worker thread to a core of its own (Linux)." };

    public Option<int?> Core { get; } = new("--core") { Description = "Bind the whole process to this core (Linux)." };

    public Option<bool> KeepAwake { get; } = new("--keep-awake")
    {
        Description = "While generations run, spin on cores that are idle, so that none halts and a message waits for none to wake; "
            + "gives way to everything else, and costs busy cores (Linux).",
    };

    public Option<WeightFormat?> Weights { get; } = new("--weights")
    {
        Description = "packed = integers, fast; fourbit = 4 bits for every matrix; original = single precision, for reference runs. "
            + "Default: fourbit for draft models, else packed.",
    };

    public Option<bool> Json { get; } = new("--json") { Description = "One JSON document on standard output." };

    public CommonOptions() => Acceptance.AcceptOnlyFromAmong(RuleNames.All);

    /// <summary>The options of one generation: sampling and length.</summary>
    public IEnumerable<Option> Generation => [Temperature, TopP, TopK, MinP, RepetitionPenalty, Seed, MaxTokens, Raw];

    /// <summary>Adds the options of sampling and length to a command.</summary>
    public void AddGeneration(Command command)
    {
        foreach (var option in Generation)
        {
            command.Add(option);
        }
    }

    /// <summary>Adds the options of the engine to a command.</summary>
    public void AddEngine(Command command)
    {
        Option[] options = [Threads, Pin, Core, Weights, Json];
        foreach (var option in options)
        {
            command.Add(option);
        }
    }

    /// <summary>How to load a draft model.</summary>
    public ModelLoadOptions DraftEngine(ParseResult parsed) =>
        Engine(parsed) with { Weights = parsed.GetValue(Weights) ?? ModelLoadOptions.Draft.Weights };

    /// <summary>How to load models.</summary>
    public ModelLoadOptions Engine(ParseResult parsed)
    {
        if (parsed.GetValue(Core) is { } core)
        {
            ProcessCores.Restrict(core);
        }

        return new ModelLoadOptions
        {
            Threads = parsed.GetValue(Threads),
            Pin = parsed.GetValue(Pin),
            Weights = parsed.GetValue(Weights) ?? ModelLoadOptions.Default.Weights,
        };
    }

    /// <summary><see cref="KeepAwake"/> for a process of this program.</summary>
    public string[] ForwardKeepAwake(ParseResult parsed) => parsed.GetValue(KeepAwake) ? [KeepAwake.Name] : [];

    /// <summary>The chosen rule of acceptance; the default where a command does not offer the choice.</summary>
    public AcceptanceRule AcceptanceOf(ParseResult parsed) =>
        parsed.GetValue(Acceptance) is { } name ? RuleNames.Parse(name) : AcceptanceRule.SharedNoise;

    /// <summary>A request for a prompt.</summary>
    public GenerationRequest Request(ParseResult parsed, TextFormat model, string prompt, DecodingMode mode) =>
        Request(parsed, Prompt.User(model, prompt, parsed.GetValue(Raw)), mode);

    /// <summary>A request for prompt tokens.</summary>
    public GenerationRequest Request(ParseResult parsed, ImmutableArray<int> prompt, DecodingMode mode) => new()
    {
        PromptTokens = prompt,
        MaxTokens = parsed.GetValue(MaxTokens),
        Mode = mode,
        Sampling = new SamplingOptions
        {
            Temperature = parsed.GetValue(Temperature),
            TopP = parsed.GetValue(TopP),
            TopK = parsed.GetValue(TopK),
            MinP = parsed.GetValue(MinP),
            RepetitionPenalty = parsed.GetValue(RepetitionPenalty),
            Seed = parsed.GetValue(Seed),
            Acceptance = AcceptanceOf(parsed),
        },
    };
}
