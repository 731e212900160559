using System.Collections.Immutable;
using Forerun.Cli.Comparing;
using Forerun.Cli.Running;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.Links;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Cli;

/// <summary>The comparison on tiny models in this process: what is run, kept, skipped and refused.</summary>
public sealed class CompareRunTests : IDisposable
{
    private static readonly ImmutableArray<LinkProfile> Links = [LinkProfile.Loopback, LinkProfile.Parse("lan")];

    private readonly string _folder = Directory.CreateTempSubdirectory("forerun-compare-").FullName;
    private readonly VerificationScheduler _target = new(TinyModels.Target);
    private readonly VerificationScheduler _other = new(TinyModels.Draft);
    private readonly ModelDrafter _drafter = new(TinyModels.Draft);
    private Func<DecodingMode, VerificationScheduler>? _targetOf;
    private int _connections;

    private static CompareSettings Settings => new()
    {
        Target = TinyModels.Target.Id,
        Drafter = TinyModels.Draft.Id,
        Prompts = [Set.Setting],
        Modes = ["speculative"],
        Links = [.. Links.Select(link => new LinkSetting(link.Name, link.Describe()))],
        LinkSeed = 1,
        DraftLengths = [2, 5],
        Temperatures = [0, 0.8f],
        Seeds = [3],
        Sampling = SamplingOptions.Default,
        MaxTokens = 12,
        Raw = true,
        Machine = Machine.This(),
        Commit = "abc",
    };

    private static PromptSet Set => new("set", [new PromptLine("a", ["One."]), new PromptLine("b", ["Two."])]);

    [Fact]
    public async Task Run_AllEqual_EveryRowHasItsFigures()
    {
        using var store = CellStore.Open(null, Settings);
        var cells = new List<CellKey>();
        Assert.Null(await RunAsync(store, cells.Add, Deadline.Token));
        var report = Report(store);

        // 2 links, 2 temperatures, and autoregressive beside two draft lengths.
        Assert.Equal((12, 24, 24), (report.Modes.Length, cells.Count, store.Count));
        Assert.True(report.Equal);
        Assert.All(report.Modes, row => Assert.True(row is { Equal: true, Generations: 2, OutputTokens: > 2 and <= 24 }));
        var baseline = report.Modes[0];
        Assert.Equal(("autoregressive", null), (baseline.Mode, baseline.DraftLength));
        Assert.Equal((1.0, 1.0), (baseline.Speedup, baseline.MeanAcceptanceLength));
        Assert.Null(baseline.AcceptanceRate);
        var speculative = report.Modes[1];
        Assert.Equal(("speculative", 2), (speculative.Mode, speculative.DraftLength));
        Assert.InRange(speculative.AcceptanceRate!.Value, 0, 1);
        Assert.True(speculative.TimePerOutputTokenP50Ms <= speculative.TimePerOutputTokenP95Ms);
        Assert.InRange(speculative.EdgeShare + speculative.CloudShare + speculative.NetworkShare + speculative.IdleShare, 0.99, 1.01);
        Assert.Equal(["loopback", "lan"], report.Modes.Select(row => row.Link).Distinct());
    }

    [Fact]
    public async Task Run_Again_FinishedCellsAreSkipped()
    {
        using (var store = CellStore.Open(_folder, Settings))
        {
            await RunAsync(store, _ => { }, Deadline.Token);
        }

        // The last cell is cut off, as when the program is stopped while it writes.
        var path = Path.Combine(_folder, "cells.jsonl");
        await using (var file = File.Open(path, FileMode.Open))
        {
            file.SetLength(file.Length - 10);
        }

        _connections = 0;
        using var again = CellStore.Open(_folder, Settings);
        Assert.Equal(23, again.Count);
        Assert.Null(await RunAsync(again, _ => { }, Deadline.Token));
        Assert.Equal((24, 1), (again.Count, _connections));
        Assert.Equal(12, Report(again).Modes.Length);
        again.Dispose();
        Assert.Equal(24, File.ReadLines(path).Count());
    }

    [Fact]
    public async Task Run_Stopped_GoesOnWhereItWas()
    {
        using var stop = new CancellationTokenSource();
        using (var store = CellStore.Open(_folder, Settings))
        {
            var left = 5;
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(
                store,
                _ =>
                {
                    if (--left == 0)
                    {
                        stop.Cancel();
                    }
                },
                stop.Token));
        }

        using var again = CellStore.Open(_folder, Settings);
        Assert.Equal(5, again.Count);
        Assert.Null(await RunAsync(again, _ => { }, Deadline.Token));
        Assert.Equal(24, again.Count);
    }

    [Fact]
    public async Task Run_AnotherTargetsText_IsFoundWithBothTokensAndLogits()
    {
        using var store = CellStore.Open(null, Settings);
        _targetOf = mode => mode == DecodingMode.Autoregressive ? _target : _other;
        var found = await RunAsync(store, _ => { }, Deadline.Token);
        var (planned, baseline, cell) = found!.Value;
        var prompt = Request(planned).PromptTokens;
        var difference = Difference.Of(baseline, cell, prompt, TinyModels.Target);
        Assert.Equal(planned.Key, difference.Cell);
        var (expected, got) = (difference.Expected!, difference.Got!);
        Assert.Equal(baseline.Generation.Tokens[difference.Position], expected.Id);
        Assert.Equal(cell.Generation.Tokens[difference.Position], got.Id);
        Assert.Equal(
            baseline.Generation.Tokens.Take(difference.Position), cell.Generation.Tokens.Take(difference.Position));

        Assert.NotEqual(expected.Id, got.Id);
        Assert.Equal(
            FormattableString.Invariant($"The texts differ; no speed is reported. Prompt \"{planned.Key.Prompt}\" of set, link loopback, temperature {planned.Key.Temperature}, seed {planned.Key.Seed}: speculative with draft length {planned.Key.DraftLength} leaves autoregressive at output token {difference.Position}. Expected {expected.Id} \"{expected.Text}\" (logit {expected.Logit:0.####}), got {got.Id} \"{got.Text}\" (logit {got.Logit:0.####}). This is a defect."),
            difference.Describe());
    }

    [Fact]
    public void Difference_OneTextEndsSooner_IsADifference()
    {
        var cell = new Cell(new CellKey("set", "a", "lan", "speculative", 4, 0, 0), Generation([5, 6]));
        var longer = cell with { Generation = Generation([5, 6, 7]) };
        Assert.Null(Difference.PositionOf(cell, cell));
        var difference = Difference.Of(longer, cell, TinyModels.Prompt, TinyModels.Target);
        Assert.Equal((2, 7), (difference.Position, difference.Expected!.Id));
        Assert.Null(difference.Got);
        Assert.Contains(", got the end of the text. This is a defect.", difference.Describe(), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_OtherSettings_IsRefusedWithWhatDiffers()
    {
        CellStore.Open(_folder, Settings).Dispose();
        CellStore.Open(_folder, Settings).Dispose();
        var exception = Assert.Throws<InvalidOperationException>(
            () => CellStore.Open(_folder, Settings with { DraftLengths = [8], Commit = null }));
        Assert.Equal(
            $"The folder \"{_folder}\" holds a comparison with other settings: draftLengths was [2,5], is [8]; commit was \"abc\", is null. Name another folder with --output, or delete this one.",
            exception.Message);
    }

    [Fact]
    public void Open_DamagedCells_TellsTheLine()
    {
        CellStore.Open(_folder, Settings).Dispose();
        var path = Path.Combine(_folder, "cells.jsonl");
        File.WriteAllText(path, "{}\n");
        var exception = Assert.Throws<InvalidDataException>(() => CellStore.Open(_folder, Settings));
        Assert.StartsWith($"\"{path}\" line 1 cannot be read: ", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith(" Delete the folder, or name another one with --output.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_CellsWithoutAFigure_TellsWhichAndWhatToDo()
    {
        using (var store = CellStore.Open(_folder, Settings))
        {
            store.Add(new Cell(new CellKey("set", "a", "lan", "speculative", 4, 0, 0), Generation([5, 6])));
        }

        var path = Path.Combine(_folder, "cells.jsonl");
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"laterDraftMs\":0,", "", StringComparison.Ordinal));
        var exception = Assert.Throws<InvalidDataException>(() => CellStore.Open(_folder, Settings));
        Assert.StartsWith($"\"{path}\" line 1 cannot be read: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("laterDraftMs", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markdown_HasMachineCommitSeedLinkAndEveryRow()
    {
        using var store = CellStore.Open(null, Settings);
        await RunAsync(store, _ => { }, Deadline.Token);
        var text = CompareMarkdown.Of(Report(store));
        Assert.Contains($"**Machine**: {Settings.Machine.Cpu}, ", text, StringComparison.Ordinal);
        Assert.Contains("**Commit**: abc\n", text, StringComparison.Ordinal);
        Assert.Contains("**Links**: loopback (rtt 0 ms); lan (rtt 0.5 ms, jitter 0.1 ms, rate 1000 Mbit/s); link seed 1", text, StringComparison.Ordinal);
        Assert.Contains("**Sampling seeds**: 3\n", text, StringComparison.Ordinal);
        Assert.Equal(2 * 12, text.Split('\n').Count(line => line.StartsWith("| set |", StringComparison.Ordinal)));
    }

    public void Dispose()
    {
        _drafter.Dispose();
        _target.Dispose();
        _other.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static CompareReport Report(CellStore store) =>
        CompareReport.Of(Settings, new ComparePlan(Settings, [Set]), Links, store);

    private static GenerationRequest Request(PlannedCell planned) => new()
    {
        PromptTokens = [.. TinyModels.Prompt, .. planned.Text.Select(letter => (int)letter)],
        MaxTokens = Settings.MaxTokens,
        Mode = planned.Mode,
        Sampling = planned.Sampling,
        IgnoreEndTokens = true,
    };

    internal static GenerationReport Generation(ImmutableArray<int> tokens) => new()
    {
        Model = "",
        Mode = "",
        Degraded = false,
        TargetTokens = tokens.Length,
        Loss = null,
        Tokens = tokens,
        Text = "",
        FinishReason = "",
        PromptTokens = 1,
        Rounds = 1,
        TargetPasses = 1,
        DraftedTokens = 0,
        AcceptedTokens = 0,
        AcceptedPerPosition = [],
        AcceptanceRate = null,
        MeanAcceptanceLength = 1,
        TimeToFirstTokenMs = 1,
        TimePerOutputTokenMs = null,
        TotalMs = 1,
        DraftMs = 0,
        LaterDraftMs = 0,
        WaitMs = 1,
        CloudWaitMs = 1,
        LaterLinkMs = 0,
        PreDrafts = null,
        ServerComputeMs = 1,
        LinkMsPerRound = null,
        BytesUp = 0,
        BytesDown = 0,
    };

    private Task<(PlannedCell Planned, Cell Baseline, Cell Cell)?> RunAsync(
        CellStore store, Action<CellKey> progress, CancellationToken cancellationToken)
    {
        var verifier = new ByMode(_targetOf ?? (_ => _target));
        var run = new CompareRun(new ComparePlan(Settings, [Set]), store, Request, _ =>
        {
            _connections++;
            return new CompareEdge(verifier, _drafter, EdgeDecoderOptions.Default, TinyModels.Draft.Tokenizer, TinyModels.Target.Id);
        });
        return run.RunAsync(Links, progress, cancellationToken);
    }

    /// <summary>Sends each mode to a target of its own.</summary>
    private sealed class ByMode(Func<DecodingMode, VerificationScheduler> target) : IVerifier
    {
        public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default) =>
            new LocalVerifier(target(request.Mode)).OpenAsync(request, cancellationToken);
    }
}
