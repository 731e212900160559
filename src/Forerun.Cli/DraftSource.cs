using Forerun.Core.Emulation;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli;

/// <summary>The edge's side of a generation: who drafts, and how text becomes token ids.</summary>
internal sealed class DraftSource : IDisposable
{
    private DraftSource(TextFormat text, IDrafter drafter, EmulatedProfile? emulated, LanguageModel? model = null)
    {
        Text = text;
        Drafter = emulated is null ? drafter : new EmulatedDrafter(drafter, emulated);
        LanguageModel = model;
    }

    /// <summary>Id of the draft model, or the kind of drafter.</summary>
    public string Name => LanguageModel?.Id ?? "ngram";

    /// <summary>The draft model; null where there is none.</summary>
    public LanguageModel? LanguageModel { get; }

    /// <summary>How text becomes token ids.</summary>
    public TextFormat Text { get; }

    /// <summary>Text to token ids and back.</summary>
    public Tokenizer Tokenizer => Text.Tokenizer;

    /// <summary>Who drafts.</summary>
    public IDrafter Drafter { get; }

    /// <summary>A draft model, and its own tokenizer.</summary>
    public static DraftSource Model(string path, ModelLoadOptions options, EmulatedProfile? emulated = null)
    {
        var model = Inference.LanguageModel.Load(path, options);
        return new DraftSource(model.TextFormat, new ModelDrafter(model), emulated, model);
    }

    /// <summary>No model: n-grams of the text so far, and the tokenizer of a file whose head alone is read.</summary>
    public static DraftSource Ngram(string path, EmulatedProfile? emulated = null) =>
        new(TextFormat.Read(path), new NgramDrafter(), emulated);

    /// <inheritdoc/>
    public void Dispose()
    {
        (Drafter as IDisposable)?.Dispose();
        LanguageModel?.Dispose();
    }
}
