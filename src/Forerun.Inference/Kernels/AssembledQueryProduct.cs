using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Weighted sums in machine code that <see cref="QueryAssembler"/> writes, one loop per shape. Written once, when they are first
/// wanted.</summary>
internal sealed unsafe class AssembledQueryProduct : QueryProduct
{
    private const int HalfConversion = 1 << 29;

    private static readonly Lazy<AssembledQueryProduct>[] All =
        [.. from wide in (bool[])[false, true]
            from halves in (bool[])[false, true]
            select new Lazy<AssembledQueryProduct>(() => new AssembledQueryProduct(wide, halves))];

    private readonly int _maxVectors;
    private readonly int _maxQueries;
    private readonly MachineCode _loops;

    private AssembledQueryProduct(bool wide, bool halves)
    {
        (_maxVectors, _maxQueries) = (QueryAssembler.MaxVectors(wide), QueryAssembler.MaxQueries(wide));
        var windows = OperatingSystem.IsWindows();
        _loops = new MachineCode(
            [.. QueryAssembler.Shapes(wide).Select(shape => new QueryAssembler(wide, halves, shape.Vectors, shape.Queries, windows).Assemble())]);
    }

    /// <summary>The system allows <see cref="MachineCode"/> and the processor widens halves.</summary>
    public static bool IsSupported { get; } =
        Avx2.IsSupported && (X86Base.CpuId(1, 0).Ecx & HalfConversion) != 0 && MachineCode.IsSupported;

    /// <summary>The loops of one kind.</summary>
    /// <param name="wide">512-bit registers; otherwise 256-bit.</param>
    /// <param name="halves">Of halves; otherwise of floats.</param>
    public static AssembledQueryProduct Get(bool wide, bool halves) => All[(wide ? 2 : 0) + (halves ? 1 : 0)].Value;

    /// <inheritdoc/>
    public override int MaxHalfQueries => 24;

    /// <inheritdoc/>
    public override void Run(in QueryPart part, int vectors, int queries)
    {
        var piece = part;
        for (var vector = 0; vector < vectors;)
        {
            var log = int.Log2(Math.Min(_maxVectors, vectors - vector));
            var groups = (queries + _maxQueries - 1) / _maxQueries;
            for (var (group, first) = (0, 0); group < groups; group++)
            {
                var end = queries * (group + 1) / groups;
                var prefetches = group == 0 && part.Prefetch is not null;
                piece.Rows = part.Rows + (vector * part.VectorStride);
                piece.Weights = part.Weights + (first * WeightStride);
                piece.Output = part.Output + (first * part.OutputStride) + (vector * 16);
                piece.Prefetch = prefetches ? part.Prefetch + (vector * HalfBytes * part.Count) : piece.Rows;
                piece.PrefetchBytes = prefetches ? HalfBytes << log : 0;
                Loop(log, end - first)(&piece);
                first = end;
            }

            vector += 1 << log;
        }
    }

    private delegate* unmanaged[SuppressGCTransition]<QueryPart*, void> Loop(int logVectors, int queries) =>
        (delegate* unmanaged[SuppressGCTransition]<QueryPart*, void>)_loops[(logVectors * _maxQueries) + queries - 1];
}
