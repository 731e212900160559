using Forerun.Cli.Running;
using Forerun.Core.Decoding;

namespace Forerun.Cli.Comparing;

/// <summary>Everything that tells one generation of a comparison from the others.</summary>
/// <param name="Prompts">Prompt file, without folder and ending.</param>
/// <param name="Prompt">Id of the prompt; empty for the row of all prompts.</param>
/// <param name="Link">Name of the link.</param>
/// <param name="Mode">Decoding mode.</param>
/// <param name="DraftLength">Tokens drafted per round; null where nobody drafts.</param>
/// <param name="Temperature">0 = greedy.</param>
/// <param name="Seed">Seed of the sampling noise.</param>
internal sealed record CellKey(
    string Prompts, string Prompt, string Link, string Mode, int? DraftLength, float Temperature, ulong Seed)
{
    /// <summary>The autoregressive generation of the same text over the same link.</summary>
    public CellKey Baseline() => this with { Mode = ModeNames.Of(DecodingMode.Autoregressive), DraftLength = null };

    /// <summary>The same with nothing drafted ahead.</summary>
    public CellKey Speculative() => this with { Mode = ModeNames.Of(DecodingMode.Speculative) };

    /// <summary>The row that this cell counts for.</summary>
    public CellKey Row() => this with { Prompt = "" };
}

/// <summary>One finished generation of a comparison.</summary>
internal sealed record Cell(CellKey Key, GenerationReport Generation);
