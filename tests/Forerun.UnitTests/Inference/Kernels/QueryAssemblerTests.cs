using Forerun.Core.Numerics;
using Forerun.Inference.Execution;
using Forerun.Inference.Kernels;

namespace Forerun.UnitTests.Inference.Kernels;

/// <summary>Assembled loops run step by step by an interpreter, so that every machine checks those of all others.</summary>
public unsafe class QueryAssemblerTests
{
    private const int Stack = 4;
    private const int Guard = 24;
    private const int MaxRows = 9;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Assemble_EveryShape_TheBitsOfTheLoopInCSharp(bool wide, bool halves)
    {
        foreach (var (vectors, queries) in QueryAssembler.Shapes(wide))
        {
            foreach (var count in (int[])[0, 1, MaxRows])
            {
                foreach (var windows in (bool[])[false, true])
                {
                    Check(wide, halves, vectors, queries, count, windows);
                }
            }
        }
    }

    private static void Check(bool wide, bool halves, int vectors, int queries, int count, bool windows)
    {
        var random = new Random(vectors + (8 * queries) + (64 * count));
        var elementBytes = halves ? 2 : 4;
        using var rows = new NativeBuffer(elementBytes * MaxRows * 16 * vectors);
        Fill(rows, halves, MaxRows * 16 * vectors, random);
        using var weights = ScalarReference.Native(
            [.. Enumerable.Range(0, 4 * QueryProduct.WeightStride).Select(_ => random.NextSingle() - 0.5f)]);
        var stride = (16 * vectors) + Guard;
        using var expected = new NativeBuffer(4L * 4 * stride, clear: true);
        using var actual = new NativeBuffer(4L * 4 * stride, clear: true);
        var part = new QueryPart
        {
            Rows = rows.Pointer,
            RowStride = 16 * vectors * elementBytes,
            VectorStride = 16 * elementBytes,
            Count = count,
            Weights = weights.Floats,
            Output = expected.Floats,
            OutputStride = stride,
        };
        QueryProduct reference = halves
            ? new CompiledQueryProduct<Lanes128, HalfElements<Lanes128>>()
            : new CompiledQueryProduct<Lanes128, FloatElements<Lanes128>>();
        reference.Run(part, vectors, queries);
        part.Output = actual.Floats;
        part.Prefetch = part.Rows;
        Interpret(new QueryAssembler(wide, halves, vectors, queries, windows).Assemble(), &part, windows);
        for (var query = 0; query < queries; query++)
        {
            Passes.AssertSameBits(
                new ReadOnlySpan<float>(expected.Floats + (query * stride), 16 * vectors),
                new ReadOnlySpan<float>(actual.Floats + (query * stride), 16 * vectors),
                $"{vectors} vectors, query {query} of {queries}, {count} rows");
            Assert.All(new ReadOnlySpan<float>(actual.Floats + (query * stride) + (16 * vectors), Guard).ToArray(), value => Assert.Equal(0, value));
        }
    }

    /// <summary>Runs a loop and checks that what the calling convention preserves is preserved.</summary>
    private static void Interpret(byte[] code, QueryPart* part, bool windows)
    {
        var machine = new CodeInterpreter();
        var stack = stackalloc byte[512];
        for (var i = 0; i < machine.General.Length; i++)
        {
            machine.General[i] = (ulong)(1000 + i);
        }

        foreach (var (number, vector) in machine.Vectors.Index())
        {
            Array.Fill(vector, number);
        }

        machine.General[windows ? 1 : 7] = (ulong)part;
        machine.General[Stack] = (ulong)(stack + 512);
        machine.Run(code);
        Assert.Equal((ulong)(stack + 512), machine.General[Stack]);
        foreach (var register in (int[])[3, 5, 12, 13, 14, 15])
        {
            Assert.Equal((ulong)(1000 + register), machine.General[register]);
        }

        for (var number = 6; windows && number < 16; number++)
        {
            Assert.All(machine.Vectors[number][..4], value => Assert.Equal(number, value));
        }
    }

    private static void Fill(NativeBuffer rows, bool halves, int count, Random random)
    {
        for (var i = 0; i < count; i++)
        {
            var value = random.NextSingle() - 0.5f;
            if (halves)
            {
                ((ushort*)rows.Pointer)[i] = HalfBits.Round(value);
            }
            else
            {
                rows.Floats[i] = value;
            }
        }
    }
}
