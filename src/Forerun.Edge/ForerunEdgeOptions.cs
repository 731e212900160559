using Forerun.Core.Emulation;
using Forerun.Edge.Generation;
using Forerun.Inference;

namespace Forerun.Edge;

/// <summary>Where the target runs and what drafts for it.</summary>
public sealed record ForerunEdgeOptions
{
    /// <summary>The server's address: <c>http://host:port</c> (HTTP/2 in clear text) or <c>https://host:port</c>.
    /// </summary>
    public required Uri Server { get; init; }

    /// <summary>The draft model, a GGUF file with the target's tokenizer and chat template.</summary>
    public required string DraftModelPath { get; init; }

    /// <summary>The target to insist on; empty (default) = any with the same tokenizer.</summary>
    public string TargetId { get; init; } = "";

    /// <summary>How the draft model is loaded. Default <see cref="ModelLoadOptions.Draft"/>.</summary>
    public ModelLoadOptions Engine { get; init; } = ModelLoadOptions.Draft;

    /// <summary>Generations that draft at the same time, each with its own cache; more wait. Default 1: they share the
    /// cores.</summary>
    public int Drafters { get; init; } = 1;

    /// <summary>Hardware whose times drafting is stretched to; null (default) = this machine's own.</summary>
    public EmulatedProfile? Emulated { get; init; }

    /// <summary>How texts are generated.</summary>
    public TextGeneratorOptions Generation { get; init; } = TextGeneratorOptions.Default;
}
