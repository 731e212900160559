using CsCheck;
using Forerun.Core.Numerics;
using Forerun.Inference;

namespace Forerun.UnitTests.Inference;

/// <summary>A row's result is the same bits whatever runs beside it, however its sequence is cut into passes and
/// stages, on any number of threads and any instruction set.</summary>
public class BatchInvarianceTests
{
    private const int Sequences = 4;
    private const int Length = 136;

    private static readonly int[][] Texts =
        [.. Enumerable.Range(0, Sequences).Select(i => TinyModels.Tokens(i, Length))];

    /// <summary>How much of a sequence one pass takes: nothing, some rows, or up to around a page's border.</summary>
    private static readonly Gen<int> Rows = Gen.Frequency(
        (2, Gen.Const(0)), (6, Gen.Int[1, 9]), (1, Gen.Int[15, 33]), (3, Gen.Int[62, 66]));

    private static readonly Gen<Plan> Plans = Gen.Select(
        Rows.Array[Sequences].Array[2, 6],
        Gen.Int[0, Sequences - 1],
        Gen.Int[0, 15],
        Gen.Int[0, 9],
        Gen.Int[1, 3],
        Gen.Int[0, InstructionSets.All.Count - 1].Select(i => InstructionSets.All[i]),
        (rows, first, stages, logitRows, threads, set) => new Plan(rows, first, stages, logitRows, threads, set));

    public static TheoryData<string, WeightFormat> Models
    {
        get
        {
            var data = new TheoryData<string, WeightFormat>();
            foreach (var folder in TinyModels.All)
            {
                data.Add(folder, WeightFormat.Packed);
                data.Add(folder, WeightFormat.Original);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Run_RandomRaggedBatches_SameBitsAsDecodingRowByRow(string folder, WeightFormat weights)
    {
        var expected = Array.ConvertAll(Texts, text => RowTrace.Decode(folder, weights, text));
        Plans.Sample(plan => Follow(plan, folder, weights, expected), iter: 5, threads: 1);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Run_EveryInstructionSet_SameBitsAsDecodingRowByRow(string folder, WeightFormat weights)
    {
        var expected = Array.ConvertAll(Texts, text => RowTrace.Decode(folder, weights, text));
        var threads = 1;
        foreach (var set in InstructionSets.All)
        {
            int[][] rows = [[63, 64, 65, 1], [1, 1, 1, 5], [5, 17, 0, 2], [0, 1, 3, 60]];
            Follow(new Plan(rows, threads, 0b0101, 3, threads, set), folder, weights, expected);
            threads = (threads % 3) + 1;
        }
    }

    private static void Follow(Plan plan, string folder, WeightFormat weights, RowTrace[][] expected)
    {
        using var model = TinyModels.Load(folder, weights, plan.Threads, plan.InstructionSet);
        using var pass = model.CreatePass(Sequences * 66, Sequences * 66);
        var caches = Array.ConvertAll(Texts, _ => model.CreateCache());
        var batch = new ForwardBatch();
        foreach (var rows in plan.Rows)
        {
            var segments = Fill(batch, caches, rows, plan);
            if (segments.Count > 0)
            {
                RunStages(pass, batch, plan.Stages, segments, expected);
            }
        }

        Array.ForEach(caches, cache => cache.Dispose());
        Assert.Equal(0, model.KvBytesInUse);
    }

    private static List<Segment> Fill(ForwardBatch batch, KvCache[] caches, int[] rows, Plan plan)
    {
        batch.Clear();
        var segments = new List<Segment>();
        for (var i = 0; i < Sequences; i++)
        {
            var sequence = (i + plan.FirstSequence) % Sequences;
            var position = caches[sequence].Length;
            var count = Math.Min(rows[sequence], Length - position);
            if (count > 0)
            {
                var logitRows = Math.Min(plan.LogitRows, count);
                var firstRow = batch.RowCount;
                var firstLogitRow = batch.Add(caches[sequence], Texts[sequence].AsSpan(position, count), logitRows);
                segments.Add(new Segment(sequence, position, count, firstRow, logitRows, firstLogitRow));
            }
        }

        return segments;
    }

    /// <summary>Runs a pass; bit i of <paramref name="stages"/> stops after i layers to look at the hidden
    /// states.</summary>
    private static void RunStages(
        ForwardPass pass, ForwardBatch batch, int stages, List<Segment> segments, RowTrace[][] expected)
    {
        pass.Begin(batch);
        var allLayers = expected[0][0].Hidden.Length - 1;
        for (var layers = 0; layers <= allLayers; layers++)
        {
            if (layers == allLayers || (stages >> layers & 1) == 1)
            {
                pass.RunLayers(layers);
                segments.ForEach(segment => segment.CheckHidden(pass, expected));
            }
        }

        pass.RunHead();
        segments.ForEach(segment => segment.CheckLogits(pass, expected));
    }

    private sealed record Plan(
        int[][] Rows, int FirstSequence, int Stages, int LogitRows, int Threads, InstructionSet InstructionSet)
    {
        public override string ToString() =>
            $"rows [{string.Join("; ", Rows.Select(r => string.Join(", ", r)))}], first sequence {FirstSequence}, "
            + $"stages {Stages:b4}, logit rows {LogitRows}, threads {Threads}, {InstructionSet}";
    }

    private sealed record Segment(
        int Sequence, int Position, int RowCount, int FirstRow, int LogitRows, int FirstLogitRow)
    {
        public void CheckHidden(ForwardPass pass, RowTrace[][] expected)
        {
            for (var i = 0; i < RowCount; i++)
            {
                Passes.AssertSameBits(
                    expected[Sequence][Position + i].Hidden[pass.LayersRun],
                    pass.HiddenStates(FirstRow + i),
                    $"sequence {Sequence}, position {Position + i}, after {pass.LayersRun} layers");
            }
        }

        public void CheckLogits(ForwardPass pass, RowTrace[][] expected)
        {
            for (var i = 0; i < LogitRows; i++)
            {
                var position = Position + RowCount - LogitRows + i;
                Passes.AssertSameBits(
                    expected[Sequence][position].Logits,
                    pass.Logits(FirstLogitRow + i),
                    $"sequence {Sequence}, position {position}, logits");
            }
        }
    }
}
