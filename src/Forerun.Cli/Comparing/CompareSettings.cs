using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Sampling;

namespace Forerun.Cli.Comparing;

/// <summary>What a comparison runs, and where. Cells of different settings are never mixed.</summary>
internal sealed record CompareSettings
{
    public required string Target { get; init; }

    /// <summary>Id of the draft model, or "ngram".</summary>
    public required string Drafter { get; init; }

    /// <summary>Which arithmetic the draft model uses, such as "int4-v1"; null without a model.</summary>
    public string? DrafterNumerics { get; init; }

    public required ImmutableArray<PromptSetSetting> Prompts { get; init; }

    public required ImmutableArray<string> Modes { get; init; }

    public required ImmutableArray<LinkSetting> Links { get; init; }

    public required int LinkSeed { get; init; }

    public required ImmutableArray<int> DraftLengths { get; init; }

    /// <summary>Whether drafts always have their whole length.</summary>
    public bool WholeDrafts { get; init; }

    public required ImmutableArray<float> Temperatures { get; init; }

    public required ImmutableArray<ulong> Seeds { get; init; }

    /// <summary>The rest of the sampling; temperature and seed are those of each cell.</summary>
    public required SamplingOptions Sampling { get; init; }

    public required int MaxTokens { get; init; }

    public required bool Raw { get; init; }

    public required Machine Machine { get; init; }

    /// <summary>Whether server and edge keep their cores from halting.</summary>
    public bool KeepAwake { get; init; }

    /// <summary>Hardware whose times are emulated; null = the times are the machine's.</summary>
    public string? Emulated { get; init; }

    /// <summary>Its figures.</summary>
    public string? EmulatedTimes { get; init; }

    /// <summary>The commit this program was built from; null when the build did not know.</summary>
    public required string? Commit { get; init; }

    /// <summary>Whether texts at this temperature depend on who drafts, so that no two modes need to write the same.</summary>
    public bool DependsOnDrafts(float temperature) => (Sampling with { Temperature = temperature }).NeedsDraftProbs();

    /// <summary>Names and values of what differs; empty when both are the same.</summary>
    public static ImmutableArray<string> Differences(CompareSettings before, CompareSettings now)
    {
        var (old, current) = (Properties(before), Properties(now));
        return
        [
            .. old.Where(property => property.Value != current[property.Key])
                .Select(property => $"{property.Key} was {property.Value}, is {current[property.Key]}"),
        ];
    }

    private static Dictionary<string, string> Properties(CompareSettings settings) =>
        JsonSerializer.SerializeToElement(settings, ReportJson.Default.CompareSettings)
            .EnumerateObject()
            .ToDictionary(property => property.Name, property => property.Value.GetRawText());
}

/// <summary>A prompt file, its number of prompts and the SHA-256 of their texts.</summary>
internal sealed record PromptSetSetting(string Name, int Count, string Sha256);

/// <summary>A link and its figures.</summary>
internal sealed record LinkSetting(string Name, string Figures);
