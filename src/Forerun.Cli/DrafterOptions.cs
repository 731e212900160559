using System.CommandLine;
using System.CommandLine.Parsing;
using Forerun.Core.Emulation;
using Forerun.Inference;

namespace Forerun.Cli;

/// <summary>Options that choose who drafts. Each command makes its own instance.</summary>
internal sealed class DrafterOptions
{
    private const string ModelKind = "model";
    private const string NgramKind = "ngram";

    public DrafterOptions()
    {
        Kind.AcceptOnlyFromAmong(ModelKind, NgramKind);
    }

    public Option<string> Kind { get; } = new("--drafter")
    {
        Description = "model = a draft model; ngram = what followed the last tokens where they stood before: fits every "
            + "target, needs no draft model, good where a text repeats its prompt.",
        DefaultValueFactory = _ => ModelKind,
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="draftModel">Its option for the draft model.</param>
    public void AddTo(Command command, Option<string?> draftModel)
    {
        command.Add(Kind);
        command.Add(draftModel);
        command.Validators.Add(result =>
        {
            if (IsNgram(result.GetValue(Kind)) && result.GetValue(draftModel) is not null)
            {
                result.AddError("--drafter ngram drafts without a model: leave --draft-model out.");
            }
        });
    }

    /// <summary>Loads what drafts.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="draftModel">The command's option for the draft model.</param>
    /// <param name="engine">How to load a draft model.</param>
    /// <param name="tokenizerPath">Tells a file with the target's tokenizer, for a drafter without a model.</param>
    /// <param name="emulated">Hardware whose times drafting is stretched to; null = this machine's own.</param>
    public DraftSource Load(
        ParseResult parsed,
        Option<string?> draftModel,
        ModelLoadOptions engine,
        Func<string> tokenizerPath,
        EmulatedProfile? emulated = null) =>
        IsNgram(parsed.GetValue(Kind))
            ? DraftSource.Ngram(tokenizerPath(), emulated)
            : DraftSource.Model(BundledModels.Draft(parsed.GetValue(draftModel)), engine, emulated);

    /// <summary>No draft model is loaded.</summary>
    public bool HasNoModel(CommandResult result) => IsNgram(result.GetValue(Kind));

    private static bool IsNgram(string? kind) => kind == NgramKind;
}
