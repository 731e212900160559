using System.Collections.Immutable;
using System.Text;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Core.Numerics;
using Forerun.Core.Sampling;
using Forerun.Edge.Links;

namespace Forerun.Cli.Comparing;

/// <summary>A prompt file that was read.</summary>
internal sealed record PromptSet(string Name, ImmutableArray<PromptLine> Prompts)
{
    /// <summary>What the settings say about it.</summary>
    public PromptSetSetting Setting => new(Name, Prompts.Length, Convert.ToHexStringLower(
        Sha256.Of(Encoding.UTF8.GetBytes(string.Join('\0', Prompts.Select(prompt => $"{prompt.Id}\0{prompt.Turns[0]}"))))));
}

/// <summary>One generation to be done.</summary>
/// <param name="Key">Which.</param>
/// <param name="Text">What the user says.</param>
/// <param name="Mode">Decoding mode.</param>
/// <param name="Sampling">How tokens are chosen.</param>
internal sealed record PlannedCell(CellKey Key, string Text, DecodingMode Mode, SamplingOptions Sampling);

/// <summary>All generations of a comparison, in the order in which they run: the modes of a prompt follow each other, so
/// that a machine that drifts moves all alike, and the autoregressive text comes first.</summary>
/// <param name="settings">What is compared.</param>
/// <param name="promptSets">The prompts.</param>
internal sealed class ComparePlan(CompareSettings settings, ImmutableArray<PromptSet> promptSets)
{
    /// <summary>The generations over one link.</summary>
    public ImmutableArray<PlannedCell> Over(LinkProfile link) =>
    [
        .. from set in promptSets
           from prompt in set.Prompts
           from temperature in settings.Temperatures
           from seed in settings.Seeds
           from mode in Modes
           from draftLength in DraftLengths(mode)
           select new PlannedCell(
               new CellKey(set.Name, prompt.Id, link.Name, ModeNames.Of(mode), draftLength, temperature, seed),
               prompt.Turns[0],
               mode,
               settings.Sampling with { Temperature = temperature, Seed = seed }),
    ];

    /// <summary>The baseline, always and first, and the modes that are asked for.</summary>
    private IEnumerable<DecodingMode> Modes =>
        settings.Modes.Select(ModeNames.Parse).Prepend(DecodingMode.Autoregressive).Distinct();

    private IEnumerable<int?> DraftLengths(DecodingMode mode) =>
        mode is DecodingMode.Autoregressive or DecodingMode.Auto ? [null] : settings.DraftLengths.Cast<int?>();
}
