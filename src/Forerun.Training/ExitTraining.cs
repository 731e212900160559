using System.Collections.Immutable;
using System.Globalization;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Forerun.Inference.Safetensors;

namespace Forerun.Training;

/// <summary>Trains exits for a frozen target: text, adapters, calibration, report. Resumable: what a work folder beside the
/// output holds is not made again. One caller at a time.</summary>
/// <param name="target">The target.</param>
/// <param name="draft">The draft model of the replayed rounds.</param>
/// <param name="options">How.</param>
/// <param name="output">The exit file to write; the report lies beside it.</param>
public sealed class ExitTraining(LanguageModel target, LanguageModel draft, TrainingOptions options, string output)
{
    private const int MaxHeldOutPrompts = 400;
    private const double HeldOutShare = 0.05;

    private readonly string _folder = output + ".work";
    private readonly ImmutableArray<int> _layers = options.LayersOf(target.Config.NumHiddenLayers);
    private readonly Gemm _gemm = new(target.Threads);

    private Dictionary<string, string> Origin => new()
    {
        ["target"] = target.Id,
        ["draft"] = draft.Id,
        ["options"] = (options with { CandidateLayers = [], Exits = [], MaxExits = 0 }).ToString(),
    };

    /// <summary>Does everything that is not done yet.</summary>
    /// <param name="prompts">Prompt token ids.</param>
    /// <param name="progress">Told what is going on.</param>
    /// <param name="cancellationToken">Stops between two steps; the work so far stays.</param>
    /// <returns>The report, also written beside the output.</returns>
    public ExitReport Run(
        IReadOnlyList<ImmutableArray<int>> prompts, Action<string> progress, CancellationToken cancellationToken)
    {
        options.Validate(target.Config);
        ImmutableArray<int>[] usable = [.. prompts.Where(tokens => tokens.Length <= options.MaxPromptTokens)];
        var heldOut = Math.Min(usable.Length / 4, MaxHeldOutPrompts);
        var shards = new TrainingText(target, usable[heldOut..], options, _folder).Complete(progress, cancellationToken);
        TrainingPrompt[] replayed = [.. usable[..heldOut].Select((tokens, i) =>
            new TrainingPrompt(tokens, TrainingText.SamplingOf(i, options.Seed)))];
        var rounds = Rounds(replayed, progress, cancellationToken);
        var set = new TrainingSet(target, shards, options.ShortlistSize);
        List<(ExitAdapter Exit, ExitScore Score)> exits = [];
        var choices = new RoundChoices(target, rounds, [.. replayed.Select(prompt => prompt.Sampling)]);
        foreach (var layer in _layers)
        {
            var (trained, ridge, reached) = Train(set, layer, progress, cancellationToken);
            progress($"verdicts of exit {layer}: {rounds.Rounds.Length} rounds");
            exits.Add(Calibrate(set, trained.ToExit(layer, set.Spread(layer)), choices, ridge, reached));
        }

        return Write(set, exits);
    }

    private HeldOutRounds Rounds(TrainingPrompt[] prompts, Action<string> progress, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_folder, "rounds.safetensors");
        var origin = new Dictionary<string, string>
        {
            ["target"] = target.Id,
            ["draft"] = draft.Id,
            ["options"] = $"{options.HeldOutRounds} {options.DraftLength} {options.Seed} {options.MaxTokens} {options.MaxPromptTokens}",
        };
        if (Find(path, origin) is { } file && _layers.All(layer => file.Tensors.ContainsKey($"hidden.{layer}")))
        {
            return HeldOutRounds.Read(file, _layers, target.Config.HiddenSize, options.DraftLength + 1);
        }

        using var replay = new RoundReplay(target, draft, _layers, options);
        var rounds = replay.Run(prompts, progress, cancellationToken);
        rounds.Write(path, origin);
        return rounds;
    }

    private (AdapterWeights Trained, HeldOut Ridge, HeldOut Reached) Train(
        TrainingSet set, int layer, Action<string> progress, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"exit-{layer}.safetensors"));
        if (Find(path, Origin) is { } file)
        {
            return Checkpoint.Read(file, options.Rank, set.HiddenSize);
        }

        progress($"exit {layer}: ridge regression");
        var trainCount = set.Count - (int)(set.Count * HeldOutShare);
        var start = RidgeAdapter.Fit(set, _gemm, layer, target.Config.NumHiddenLayers, trainCount, options.Rank);
        var trainer = new AdapterTrainer(set, _gemm, layer, options.Rank, target.Config.RmsNormEps, trainCount);
        var ridge = trainer.Evaluate(start);
        var trained = trainer.Train(start, options.Epochs, options.Seed, progress, cancellationToken);
        var reached = trainer.Evaluate(trained);
        progress($"trained exit {layer}: KL {ridge.Loss:F3} → {reached.Loss:F3}, top-1 {ridge.Agreement:P1} → {reached.Agreement:P1}");
        Checkpoint.Write(path, Origin, trained, ridge, reached);
        return (trained, ridge, reached);
    }

    private (ExitAdapter Exit, ExitScore Score) Calibrate(
        TrainingSet set, ExitAdapter exit, RoundChoices choices, HeldOut ridge, HeldOut reached)
    {
        var file = File(set, [exit]);
        var (greedy, greedyScore) = Calibrate(choices.Choose(file, 0, isGreedy: true, CalibrationFit.Bonuses));
        var (sampled, sampledScore) = Calibrate(choices.Choose(file, 0, isGreedy: false, CalibrationFit.Bonuses));
        var score = new ExitScore
        {
            Layer = exit.Layer,
            Parameters = exit.ParameterCount,
            CostShare = (double)((3L * exit.Rank) + set.Shortlist.Length) * set.HiddenSize / target.WeightsPerPass,
            RidgeLoss = ridge.Loss,
            RidgeAgreement = ridge.Agreement,
            Loss = reached.Loss,
            Agreement = reached.Agreement,
            Greedy = greedyScore,
            Sampled = sampledScore,
        };
        return (exit with { Greedy = greedy, Sampled = sampled }, score);
    }

    /// <summary>Calibrates on all rounds. The score is of two halves, each under a calibration that saw only the other; no
    /// prompt is in both.</summary>
    private static (ExitCalibration Calibration, VerdictScore Score) Calibrate(RoundChoice[][] choices)
    {
        List<ScoredChoice> scored = [];
        for (var half = 0; half < 2; half++)
        {
            var calibration = CalibrationFit.Fit(Array.ConvertAll(choices, all => Half(all, 1 - half)));
            var bonus = Array.IndexOf(CalibrationFit.Bonuses, calibration.DraftBonus);
            scored.AddRange(Half(choices[bonus], half).Select(choice => new ScoredChoice(
                choice, calibration.Confidence(CalibrationFit.Product(calibration, choice)))));
        }

        return (CalibrationFit.Fit(choices), VerdictScore.Of(scored, choices[0]));

        // Prompts alternate between greedy and sampled: pairs of prompts alternate between the halves.
        static RoundChoice[] Half(RoundChoice[] all, int half) => [.. all.Where(choice => choice.Round.Sampling / 2 % 2 == half)];
    }

    private ExitReport Write(TrainingSet set, List<(ExitAdapter Exit, ExitScore Score)> exits)
    {
        ImmutableArray<ExitScore> scores = [.. exits.Select(exit => exit.Score)];
        var kept = options.Exits.IsEmpty
            ? ExitPlacement.Choose(scores, target.Config.NumHiddenLayers, options.MaxExits)
            : [.. options.Exits.Order()];
        var report = new ExitReport(
            target.Id, draft.Id, target.Config.NumHiddenLayers, set.Count, set.Coverage, options, scores, kept);
        File(set, [.. exits.Select(exit => exit.Exit).Where(exit => kept.Contains(exit.Layer))]).Write(output);
        System.IO.File.WriteAllText(Path.ChangeExtension(output, ".md"), report.ToMarkdown());
        return report;
    }

    private ExitFile File(TrainingSet set, ImmutableArray<ExitAdapter> exits) => new()
    {
        TargetId = target.Id,
        NumericsId = target.NumericsId,
        Summary = string.Create(
            CultureInfo.InvariantCulture,
            $"{set.Count} rows, rank {options.Rank}, seed {options.Seed}, calibrated with {draft.Id}, draft length {options.DraftLength}"),
        HiddenSize = set.HiddenSize,
        Shortlist = set.Shortlist,
        Exits = exits,
    };

    /// <summary>A file of the work folder; null when it is not there or was made otherwise.</summary>
    private static SafetensorsFile? Find(string path, Dictionary<string, string> origin)
    {
        if (!System.IO.File.Exists(path))
        {
            return null;
        }

        var file = SafetensorsFile.Open(path);
        return origin.All(entry => file.Text(entry.Key) == entry.Value) ? file : null;
    }
}
