using System.Collections.Immutable;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Forerun.Training;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Training;

/// <summary>A whole training on a tiny model, in seconds.</summary>
public class ExitTrainingTests : IDisposable
{
    private const string Folder = "smollm-gqa-tied-q8_0";

    private static readonly TrainingOptions Options = new()
    {
        TrainingRows = 1_500,
        HeldOutRounds = 60,
        MaxTokens = 48,
        CandidateLayers = [1, 2],
        Exits = [2],
        Rank = 32,
        ShortlistSize = 128,
        Epochs = 3,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("forerun-exits-").FullName;
    private readonly LanguageModel _target = TinyModels.Load(Folder);

    private static ImmutableArray<int>[] Prompts { get; } =
        [.. Enumerable.Range(0, 80).Select(seed => TinyModels.Tokens(seed, 6).ToImmutableArray())];

    [Fact]
    public void Run_TinyModel_ImprovesOnTheRidgeRegressionAndWritesFileAndReport()
    {
        var output = Path.Combine(_folder, "exits.safetensors");
        var report = new ExitTraining(_target, _target, Options, output).Run(Prompts, _ => { }, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2], report.Scores.Select(score => score.Layer));
        Assert.All(report.Scores, score =>
        {
            Assert.True(score.Loss < score.RidgeLoss, $"KL {score.RidgeLoss} → {score.Loss}: nothing was learned.");
            Assert.InRange(score.Agreement, 0.001, 1);
            Assert.InRange(score.Greedy.Right, 0, 1);
            Assert.InRange(score.CostShare, 0.0001, 10);
        });
        using var heads = ExitHeads.Load(output, _target);
        Assert.Equal([2], heads.Layers);
        Assert.Equal(report.ToMarkdown(), File.ReadAllText(Path.ChangeExtension(output, ".md")));
    }

    [Fact]
    public void Run_CancelledAndRunAgain_GivesTheSameFileWithoutMakingTextTwice()
    {
        var (whole, resumed) = (Path.Combine(_folder, "a.safetensors"), Path.Combine(_folder, "b.safetensors"));
        new ExitTraining(_target, _target, Options, whole).Run(Prompts, _ => { }, TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => new ExitTraining(_target, _target, Options, resumed).Run(
            Prompts,
            text =>
            {
                if (text.StartsWith("exit 2: step 3", StringComparison.Ordinal))
                {
                    stop.Cancel();
                }
            },
            stop.Token));
        Assert.False(File.Exists(resumed));
        List<string> steps = [];
        new ExitTraining(_target, _target, Options, resumed).Run(Prompts, steps.Add, TestContext.Current.CancellationToken);
        Assert.Equal(File.ReadAllBytes(whole), File.ReadAllBytes(resumed));
        Assert.DoesNotContain(steps, text => text.StartsWith("rounds", StringComparison.Ordinal));
        Assert.DoesNotContain(steps, text => text.StartsWith("exit 1", StringComparison.Ordinal));
        Assert.Contains(steps, text => text.StartsWith("exit 2: step", StringComparison.Ordinal));
    }

    [Fact]
    public void Run_WorkFolderOfOtherOptions_SaysSo()
    {
        var output = Path.Combine(_folder, "exits.safetensors");
        new ExitTraining(_target, _target, Options, output).Run(Prompts, _ => { }, TestContext.Current.CancellationToken);
        var error = Assert.Throws<InvalidDataException>(() =>
            new ExitTraining(_target, _target, Options with { Seed = 1 }, output)
                .Run(Prompts, _ => { }, TestContext.Current.CancellationToken));
        Assert.Contains("(seed 0, 48 tokens, prompts of 256), not for", error.Message, StringComparison.Ordinal);
        Assert.Contains("Remove the folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WrongOptions_IsRefused()
    {
        var rank = Assert.Throws<ArgumentException>(() => Run(Options with { Rank = 33 }));
        Assert.Contains("got rank 33", rank.Message, StringComparison.Ordinal);
        var layers = Assert.Throws<ArgumentException>(() => Run(Options with { CandidateLayers = [2, 1] }));
        Assert.Contains("got candidates 2, 1, exits 2", layers.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Run(Options with { Exits = [3] }));
        var few = Assert.Throws<InvalidDataException>(() => Run(Options with { TrainingRows = 1_000_000 }));
        Assert.Contains("Give more prompts", few.Message, StringComparison.Ordinal);

        ExitReport Run(TrainingOptions options) => new ExitTraining(
            _target, _target, options, Path.Combine(_folder, "x")).Run(Prompts, _ => { }, TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        _target.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }
}
