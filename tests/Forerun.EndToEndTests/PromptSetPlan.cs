using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.Links;

namespace Forerun.EndToEndTests;

/// <summary>One prompt of the sets, and how it is decoded in every mode.</summary>
/// <param name="Index">Its place in the plan.</param>
/// <param name="Prompt">What the user says.</param>
/// <param name="Link">The link between edge and server.</param>
public sealed record PromptCase(int Index, string Prompt, LinkProfile Link)
{
    /// <summary>Greedy and sampled in turn.</summary>
    public bool IsSampled => Index % 2 == 1;

    public SamplingOptions Sampling => IsSampled
        ? new SamplingOptions { Temperature = 0.8f, TopP = 0.95f, Seed = (ulong)Index }
        : SamplingOptions.Default;

    /// <summary>1 to 8 in turn; every mode is at another place.</summary>
    public int DraftLength(DecodingMode mode) => 1 + (((Index / 2) + (int)mode) % PromptSetPlan.DraftLengths);
}

/// <summary>Which prompt is decoded how: the 16 combinations of sampling and draft length take turns, and so do the seven
/// links; 16 and 7 have no common divisor, so every combination meets every link.</summary>
public static class PromptSetPlan
{
    public const int DraftLengths = 8;

    private const int Combinations = 2 * DraftLengths;
    private const int PromptsPerCombination = 10;

    private static readonly string[] Sets = ["gsm8k", "humaneval", "mt_bench"];

    /// <summary>The modes that write the target's text.</summary>
    public static ImmutableArray<DecodingMode> Lossless { get; } =
        [.. Enum.GetValues<DecodingMode>().Where(mode => mode != DecodingMode.EdgeOnly)];

    /// <summary>All prompts, a set after another in turn.</summary>
    public static ImmutableArray<PromptCase> Cases { get; } =
    [
        .. Prompts().Take(PromptsPerCombination * Combinations).Select((prompt, i) =>
            new PromptCase(i, prompt, LinkProfile.Named[i % LinkProfile.Named.Length])),
    ];

    private static IEnumerable<string> Prompts()
    {
        string[][] sets = [.. Sets.Select(set => File.ReadAllLines(Repository.Path("data", "prompts", set + ".jsonl")))];
        return Enumerable.Range(0, sets.Max(lines => lines.Length))
            .SelectMany(line => sets.Where(lines => line < lines.Length).Select(lines => lines[line]))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("turns")[0].GetString()!);
    }
}
