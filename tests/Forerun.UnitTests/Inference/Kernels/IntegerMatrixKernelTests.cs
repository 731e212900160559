using System.Runtime;
using Forerun.Core.Numerics;
using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;
using Forerun.Inference.Weights;

namespace Forerun.UnitTests.Inference.Kernels;

/// <summary>Every instruction set and weight format gives the bits of the plain loop.</summary>
public unsafe class IntegerMatrixKernelTests
{
    private static readonly ushort[] HalfBits = [0x0000, 0x8000, 0x0001, 0x83FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF];

    public static TheoryData<InstructionSet, TileFormat> Kernels
    {
        get
        {
            var data = new TheoryData<InstructionSet, TileFormat>();
            foreach (var set in InstructionSets.All)
            {
                data.AddRange((set, TileFormat.Q8), (set, TileFormat.Q4), (set, TileFormat.Q4Minimum));
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Multiply_OneToSeventeenRows_SameBitsAsThePlainLoop(InstructionSet set, TileFormat format)
    {
        int[] columns = [32, 64, 480, 512, 544, 992, 1024, 1536, 2048, 5632];
        for (var rows = 1; rows <= 17; rows++)
        {
            Check(set, format, rows, weightRows: 40, columns[rows % columns.Length], seed: rows);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Multiply_ExtremeWeightsAndActivations_SameBitsAsThePlainLoop(InstructionSet set, TileFormat format)
    {
        foreach (var (weight, activation) in new[] { (0, 1f), (255, 1f), (0, -1f), (255, -1f), (255, 0f) })
        {
            Check(set, format, 5, 16, 544, seed: 1, matrix => Fill(matrix, (byte)weight), _ => activation);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Multiply_ZeroSubnormalAndLargestScales_SameBitsAsThePlainLoop(InstructionSet set, TileFormat format) =>
        Check(set, format, 3, 24, 96, seed: 2, FillScales, i => i / 32 % 2 == 0 ? 0 : (i % 7) - 3f);

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Multiply_TilesInParts_SameBitsAsWhole(InstructionSet set, TileFormat format)
    {
        using var arena = ArenaFor(format, 64, 96);
        var weights = Random(arena, format, 64, 96, new Random(3));
        var rows = Enumerable.Range(0, 5).Select(i => RandomRow(96, new Random(i))).ToArray();
        var whole = Multiply(set, weights, rows, 0, 4);
        var parts = Multiply(set, weights, rows, 0, 1);
        var last = Multiply(set, weights, rows, 1, 4);
        for (var row = 0; row < rows.Length; row++)
        {
            Passes.AssertSameBits(whole[row].AsSpan(0, 16), parts[row].AsSpan(0, 16), "the first tile");
            Passes.AssertSameBits(whole[row].AsSpan(16), last[row].AsSpan(16), "the other tiles");
        }
    }

    [Theory]
    [InlineData(TileFormat.Q8)]
    [InlineData(TileFormat.Q4)]
    [InlineData(TileFormat.Q4Minimum)]
    public void Compile_AnyRowCount_ItsFirstMultiplicationWaitsForNoCompiler(TileFormat format)
    {
        var set = InstructionSets.Best;
        using var arena = ArenaFor(format, 16, 64);
        var weights = Random(arena, format, 16, 64, new Random(4));
        var kernel = KernelSet.Create(set).Matrix(format);

        // What all row counts share.
        MultiplyRows(1);
        MultiplyRows(kernel.MaxRows);
        for (var rows = 1; rows <= kernel.MaxRows; rows++)
        {
            kernel.Compile(rows);
        }

        var compiled = JitInfo.GetCompiledMethodCount(currentThread: true);
        for (var rows = 2; rows < kernel.MaxRows; rows++)
        {
            MultiplyRows(rows);
        }

        Assert.Equal(compiled, JitInfo.GetCompiledMethodCount(currentThread: true));

        void MultiplyRows(int rows) =>
            Multiply(set, weights, [.. Enumerable.Range(0, rows).Select(i => RandomRow(64, new Random(i)))], 0, 1);
    }

    private static void Check(
        InstructionSet set,
        TileFormat format,
        int rows,
        int weightRows,
        int columns,
        int seed,
        Action<WeightMatrix>? change = null,
        Func<int, float>? activation = null)
    {
        var random = new Random(seed);
        using var arena = ArenaFor(format, weightRows, columns);
        var weights = Random(arena, format, weightRows, columns, random);
        change?.Invoke(weights);
        float[][] x = [.. Enumerable.Range(0, rows).Select(_ => activation is null
            ? RandomRow(columns, random)
            : [.. Enumerable.Range(0, columns).Select(activation)])];
        var actual = Multiply(set, weights, x, 0, weights.TileCount);
        for (var row = 0; row < rows; row++)
        {
            var quantized = ScalarReference.Quantize(x[row]);
            var expected = Enumerable.Range(0, weights.TileCount * 16)
                .Select(i => ScalarReference.Dot(weights, i, quantized)).ToArray();
            Passes.AssertSameBits(expected, actual[row], $"{rows} rows of {columns} columns, row {row}");
        }
    }

    private static float[][] Multiply(InstructionSet set, WeightMatrix weights, float[][] x, int tileStart, int tileEnd)
    {
        var kernel = KernelSet.Create(set).Matrix(weights.Format);
        var groups = new RowGroups(x.Length, kernel.MaxRows);
        var stride = weights.TileCount * 16;
        using var activations = new NativeBuffer(kernel.ActivationBytes(x.Length, weights.Columns));
        using var output = new NativeBuffer(4L * x.Length * stride, clear: true);
        for (var row = 0; row < x.Length; row++)
        {
            fixed (float* source = x[row])
            {
                kernel.Prepare(source, weights.Columns, activations.Pointer, groups, row);
            }
        }

        kernel.Multiply(weights, activations.Pointer, groups, output.Floats, stride, tileStart, tileEnd);
        var rows = new float[x.Length][];
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row] = new ReadOnlySpan<float>(output.Floats + (row * stride), stride).ToArray();
        }

        return rows;
    }

    private static float[] RandomRow(int columns, Random random) =>
        [.. Enumerable.Range(0, columns).Select(_ =>
            (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-3, 3))))];

    private static WeightArena ArenaFor(TileFormat format, int rows, int columns) =>
        new(new MatrixLayout(format, rows, columns).ArenaBytes);

    private static WeightMatrix Random(WeightArena arena, TileFormat format, int rows, int columns, Random random)
    {
        var weights = new WeightMatrix(new MatrixLayout(format, rows, columns), arena);
        random.NextBytes(Quants(weights));
        foreach (ref var scale in Scales(weights))
        {
            scale = BitConverter.HalfToUInt16Bits((Half)(random.NextDouble() - 0.5));
        }

        return weights;
    }

    private static void Fill(WeightMatrix weights, byte value) =>
        Quants(weights).Fill(value);

    private static Span<byte> Quants(WeightMatrix weights) =>
        new(weights.Tile(0), weights.TileCount * weights.BlockCount * weights.BlockBytes);

    private static void FillScales(WeightMatrix weights)
    {
        var scales = Scales(weights);
        for (var i = 0; i < scales.Length; i++)
        {
            scales[i] = HalfBits[i % HalfBits.Length];
        }
    }

    private static Span<ushort> Scales(WeightMatrix weights) =>
        new(weights.Scales(0), weights.TileCount * weights.BlockCount * weights.ScalesPerBlock);
}
