using System.Collections.Immutable;
using System.Text.Json;

namespace Forerun.Cli.Running;

/// <summary>One line of a prompt file.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Turns">What the user says; only the first turn is used.</param>
internal sealed record PromptLine(string Id, ImmutableArray<string> Turns);

/// <summary>Prompts to compare modes with.</summary>
internal static class PromptFile
{
    /// <summary>The prompt sets that come with Forerun, in a folder <c>data/prompts</c> above the program.</summary>
    public static string[] Bundled()
    {
        var folder = BundledFiles.Find(Path.Combine("data", "prompts")) ?? throw new FileNotFoundException(
            "There is no folder data/prompts above the program. Name prompt files with --prompts.");
        return [.. Directory.GetFiles(folder, "*.jsonl").Order(StringComparer.Ordinal)];
    }

    /// <summary>The first prompts of a file.</summary>
    /// <exception cref="InvalidDataException">A line is not a prompt, two have the same id, or there is none.</exception>
    public static ImmutableArray<PromptLine> Read(string path, int limit)
    {
        var prompts = ImmutableArray.CreateBuilder<PromptLine>();
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0).Take(limit))
        {
            prompts.Add(Parse(line) ?? throw new InvalidDataException(
                $"\"{path}\" line {prompts.Count + 1} is not a prompt: expected {{\"id\": …, \"turns\": [\"…\"]}}."));
        }

        if (prompts.Count == 0)
        {
            throw new InvalidDataException($"\"{path}\" has no prompts to run: expected lines with \"id\" and \"turns\", and a limit of 1 or more.");
        }

        return prompts.CountBy(prompt => prompt.Id).FirstOrDefault(id => id.Value > 1).Key is { } twice
            ? throw new InvalidDataException($"\"{path}\" has two prompts of the id \"{twice}\": expected ids that differ.")
            : prompts.ToImmutable();
    }

    private static PromptLine? Parse(string line)
    {
        try
        {
            var prompt = JsonSerializer.Deserialize(line, ReportJson.Default.PromptLine);
            return prompt is { Id: not null, Turns.IsDefaultOrEmpty: false } ? prompt : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
