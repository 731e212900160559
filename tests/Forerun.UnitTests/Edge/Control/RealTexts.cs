using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Inference;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>What the bundled target answers to prompts of the three sets, and the bundled draft model.</summary>
public sealed class RealTexts : IDisposable
{
    /// <summary>Tokens of each text.</summary>
    public const int Length = 64;

    private const int PromptsPerSet = 2;

    public RealTexts()
    {
        using var target = LanguageModel.Load(Assets.Target, new() { Threads = 1 });
        Texts = [.. from set in new[] { "gsm8k", "humaneval", "mt_bench" } from prompt in Prompts(set) select Answer(target, prompt)];
    }

    public LanguageModel Draft { get; } = LanguageModel.Load(Assets.DraftModel, ModelLoadOptions.Draft with { Threads = 1 });

    internal ImmutableArray<RealText> Texts { get; }

    public void Dispose() => Draft.Dispose();

    private static IEnumerable<string> Prompts(string set) =>
        from line in File.ReadLines(Repository.Path("data", "prompts", set + ".jsonl")).Take(PromptsPerSet)
        select JsonDocument.Parse(line).RootElement.GetProperty("turns")[0].GetString()!;

    private static RealText Answer(LanguageModel target, string prompt)
    {
        var tokens = target.ChatTemplate!.Encode(target.Tokenizer, [new ChatMessage("user", prompt)], addGenerationPrompt: true);
        return new(tokens, TinyModels.PlainLoop(
            target, new() { PromptTokens = tokens, MaxTokens = Length, IgnoreEndTokens = true }));
    }
}

/// <summary>A prompt and the target's answer.</summary>
internal readonly record struct RealText(ImmutableArray<int> Prompt, ImmutableArray<int> Answer);
