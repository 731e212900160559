using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>What the bundled target answers to two prompts of each of the three sets, and the bundled draft model.</summary>
public class RealTexts : IDisposable
{
    /// <summary>Tokens of each text.</summary>
    public const int Length = 64;

    private readonly LanguageModel _draft = LanguageModel.Load(Assets.DraftModel, ModelLoadOptions.Draft with { Threads = 1 });
    private readonly RememberingDrafter _drafter;

    public RealTexts()
        : this(promptsPerSet: 2)
    {
    }

    private protected RealTexts(int promptsPerSet)
    {
        _drafter = new RememberingDrafter(_draft);
        using var target = LanguageModel.Load(Assets.Target, new() { Threads = 1 });
        Texts =
        [
            .. from set in new[] { "gsm8k", "humaneval", "mt_bench" }
               from prompt in PromptFile.Read(Repository.Path("data", "prompts", set + ".jsonl"), promptsPerSet)
               select Answer(target, prompt.Turns[0]),
        ];
    }

    /// <summary>The bundled draft model.</summary>
    public IDrafter Drafter => _drafter;

    internal ImmutableArray<RealText> Texts { get; }

    public void Dispose()
    {
        _drafter.Dispose();
        _draft.Dispose();
        GC.SuppressFinalize(this);
    }

    private static RealText Answer(LanguageModel target, string prompt)
    {
        var tokens = Prompt.User(target.TextFormat, prompt, raw: false);
        return new(tokens, TinyModels.PlainLoop(
            target, new() { PromptTokens = tokens, MaxTokens = Length, IgnoreEndTokens = true }));
    }
}

/// <summary>The same of twelve prompts of each set.</summary>
public sealed class ManyRealTexts() : RealTexts(PromptsPerSet)
{
    /// <summary>Texts of a set, which come one after the other.</summary>
    public const int PromptsPerSet = 12;
}

/// <summary>A prompt and the target's answer.</summary>
internal readonly record struct RealText(ImmutableArray<int> Prompt, ImmutableArray<int> Answer);

/// <summary>A model's drafter that never drafts the same twice: the texts are decoded many times. For generations with the same
/// options.</summary>
internal sealed class RememberingDrafter(LanguageModel model) : IDrafter, IDisposable
{
    private readonly ModelDrafter _inner = new(model);
    private readonly Dictionary<string, DraftedToken> _known = [];
    private readonly DraftBranch _line = new();

    public void Begin(GenerationRequest request) => _inner.Begin(request);

    public void Dispose()
    {
        _line.Dispose();
        _inner.Dispose();
    }

    public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

    public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        foreach (var branch in branches)
        {
            var context = new string(MemoryMarshal.Cast<int, char>(branch.Tokens));
            if (!_known.TryGetValue(context, out var token))
            {
                _line.Follow(branch.Tokens, wanted: 1);
                _inner.Extend(new ReadOnlySpan<DraftBranch>(in _line));
                token = _known[context] = _line[0];
            }

            branch.Append(token);
        }
    }
}
