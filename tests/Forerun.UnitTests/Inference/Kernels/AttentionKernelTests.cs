using Forerun.Core.Numerics;
using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Kernels;

public unsafe class AttentionKernelTests
{
    private const int Positions = 64;
    private const int Queries = AttentionKernel.QueriesPerCall;

    [Theory]
    [InlineData(16, 1, 64)]
    [InlineData(32, 2, 1)]
    [InlineData(64, 3, 37)]
    [InlineData(128, 1, 16)]
    [InlineData(80, 5, 63)]
    public void PagesMerged_EveryLaneWidth_IsSoftmaxAttentionWithTheSameBits(int headDim, int pages, int lastValid)
    {
        var random = new Random(headDim + pages);
        var length = ((pages - 1) * Positions) + lastValid;
        var keys = Numbers(random, pages * Positions * headDim, 2);
        var values = Numbers(random, pages * Positions * headDim, 2);
        var queries = Numbers(random, Queries * headDim, 1);
        var expected = Attend(new AttentionKernel<Lanes128>(), keys, values, queries, headDim, length);
        foreach (var kernel in Kernels())
        {
            Passes.AssertSameBits(expected, Attend(kernel, keys, values, queries, headDim, length), kernel.ToString()!);
        }

        for (var query = 0; query < Queries; query++)
        {
            CheckAgainstSoftmax(expected, keys, values, queries, headDim, length, query);
        }
    }

    [Theory]
    [InlineData(32, 3, 37)]
    [InlineData(48, 1, 5)]
    public void HalfPages_EveryLaneWidth_GiveTheBitsOfTheirWidenedValues(int headDim, int pages, int lastValid)
    {
        var random = new Random(headDim);
        var length = ((pages - 1) * Positions) + lastValid;
        var keys = Rounded(Numbers(random, pages * Positions * headDim, 2));
        var values = Rounded(Numbers(random, pages * Positions * headDim, 2));
        var queries = Numbers(random, Queries * headDim, 1);
        var expected = Attend(new AttentionKernel<Lanes512>(), keys, values, queries, headDim, length);
        foreach (var kernel in Kernels())
        {
            Passes.AssertSameBits(
                expected, Attend(kernel, keys, values, queries, headDim, length, halves: true), kernel.ToString()!);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    public void FewerQueries_EveryLaneWidth_TheBitsOfEightTogether(int count)
    {
        const int headDim = 80;
        var random = new Random(count);
        var keys = Numbers(random, 2 * Positions * headDim, 2);
        var values = Numbers(random, 2 * Positions * headDim, 2);
        var queries = Numbers(random, Queries * headDim, 1);
        foreach (var kernel in Kernels())
        {
            var all = Attend(kernel, keys, values, queries, headDim, length: 101, halves: true);
            var some = Attend(kernel, keys, values, queries[..(count * headDim)], headDim, length: 101, halves: true);
            Passes.AssertSameBits(all.AsSpan(0, some.Length), some, kernel.ToString()!);
        }
    }

    /// <summary>In C# for every lane width, and what this machine's instruction sets use.</summary>
    private static IEnumerable<AttentionKernel> Kernels() =>
    [
        new AttentionKernel<Lanes512>(),
        new AttentionKernel<Lanes256>(),
        new AttentionKernel<Lanes128>(),
        .. InstructionSets.All.Select(set => KernelSet.Create(set).Attention),
    ];

    private static float[] Rounded(float[] values) =>
        Array.ConvertAll(values, value => (float)BitConverter.UInt16BitsToHalf(HalfBits.Round(value)));

    private static NativeBuffer Halves(NativeBuffer floats, int count)
    {
        var halves = new NativeBuffer(sizeof(ushort) * count);
        HalfBits.Round(new ReadOnlySpan<float>(floats.Floats, count), new Span<ushort>(halves.Pointer, count));
        return halves;
    }

    /// <summary>Query i sees <c>length - i</c> positions, at least one.</summary>
    private static int Seen(int length, int query) => Math.Max(length - query, 1);

    private static float[] Numbers(Random random, int count, double range) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() - 0.5) * 2 * range))];

    /// <summary>Keys and values are <c>[position, headDim]</c> here; the kernel wants keys in lanes of 16
    /// positions.</summary>
    private static float[] Attend(
        AttentionKernel kernel,
        float[] keys,
        float[] values,
        float[] queries,
        int headDim,
        int length,
        bool halves = false)
    {
        var stride = AttentionKernel.PartialStride(headDim);
        var count = queries.Length / headDim;
        using var q = ScalarReference.Native(queries);
        using var scratch = ScalarReference.Native(new float[AttentionKernel.ScratchFloats]);
        using var partials = ScalarReference.Native(new float[Queries * stride]);
        using var running = ScalarReference.Native(new float[Queries * stride]);
        using var output = ScalarReference.Native(new float[Queries * headDim]);
        var rows = stackalloc float*[Queries];
        var valid = stackalloc int[Queries];
        for (var page = 0; page * Positions < length; page++)
        {
            using var pageKeys = ScalarReference.Native(InLanes(keys.AsSpan(page * Positions * headDim), headDim));
            using var pageValues = ScalarReference.Native(
                values.AsSpan(page * Positions * headDim, Positions * headDim));
            for (var i = 0; i < count; i++)
            {
                rows[i] = q.Floats + (i * headDim);
                valid[i] = Math.Clamp(Seen(length, i) - (page * Positions), 0, Positions);
            }

            using var halfKeys = Halves(pageKeys, Positions * headDim);
            using var halfValues = Halves(pageValues, Positions * headDim);
            var operands = halves
                ? new HeadPage(halfKeys.Pointer, halfValues.Pointer, KvFormat.F16, pageKeys.Pointer)
                : new HeadPage(pageKeys.Pointer, pageValues.Pointer, KvFormat.F32);
            kernel.Page(operands, headDim, rows, count, valid, scratch.Floats, partials.Floats);
            for (var i = 0; i < count; i++)
            {
                Keep(kernel, running.Floats + (i * stride), partials.Floats + (i * stride), headDim, page, valid[i]);
            }
        }

        for (var i = 0; i < count; i++)
        {
            kernel.Finish(running.Floats + (i * stride), output.Floats + (i * headDim), headDim);
        }

        return new ReadOnlySpan<float>(output.Floats, queries.Length).ToArray();
    }

    private static void Keep(AttentionKernel kernel, float* running, float* next, int headDim, int page, int valid)
    {
        if (page == 0)
        {
            new ReadOnlySpan<float>(next, AttentionKernel.PartialStride(headDim))
                .CopyTo(new Span<float>(running, AttentionKernel.PartialStride(headDim)));
        }
        else if (valid > 0)
        {
            kernel.Merge(running, next, headDim);
        }
    }

    private static float[] InLanes(ReadOnlySpan<float> keys, int headDim)
    {
        var lanes = new float[Positions * headDim];
        for (var i = 0; i < lanes.Length; i++)
        {
            var (position, dim) = (i / headDim, i % headDim);
            lanes[(position / 16 * 16 * headDim) + (dim * 16) + (position % 16)] = keys[i];
        }

        return lanes;
    }

    private static void CheckAgainstSoftmax(
        float[] actual, float[] keys, float[] values, float[] queries, int headDim, int length, int query)
    {
        var seen = Seen(length, query);
        var weights = new double[seen];
        for (var position = 0; position < seen; position++)
        {
            for (var dim = 0; dim < headDim; dim++)
            {
                weights[position] += (double)queries[(query * headDim) + dim] * keys[(position * headDim) + dim];
            }
        }

        var largest = weights.Max();
        weights = Array.ConvertAll(weights, weight => Math.Exp(weight - largest));
        var sum = weights.Sum();
        for (var dim = 0; dim < headDim; dim++)
        {
            var total = weights.Select((weight, position) => weight * values[(position * headDim) + dim]).Sum();
            Assert.Equal(total / sum, actual[(query * headDim) + dim], 1e-5);
        }
    }
}
