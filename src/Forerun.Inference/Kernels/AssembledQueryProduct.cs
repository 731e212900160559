using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.Inference.Kernels;

/// <summary>Weighted sums of halves in machine code that <see cref="QueryAssembler"/> writes, one loop per shape.</summary>
internal sealed unsafe class AssembledQueryProduct : QueryProduct
{
    /// <summary>What sixteen halves take.</summary>
    private const int HalfBytes = 32;

    private const int HalfConversion = 1 << 29;

    private readonly int _maxVectors;
    private readonly int _maxQueries;
    private readonly MachineCode _loops;

    /// <summary>Assembles the loops.</summary>
    /// <param name="wide">512-bit registers; otherwise 256-bit.</param>
    /// <param name="halves">Of halves; otherwise of floats.</param>
    public AssembledQueryProduct(bool wide, bool halves)
    {
        (_maxVectors, _maxQueries) = (QueryAssembler.MaxVectors(wide), QueryAssembler.MaxQueries(wide));
        var windows = OperatingSystem.IsWindows();
        _loops = new MachineCode(
            [.. from log in Enumerable.Range(0, int.Log2(_maxVectors) + 1)
                from queries in Enumerable.Range(1, _maxQueries)
                select new QueryAssembler(wide, halves, 1 << log, queries, windows).Assemble()]);
    }

    /// <summary>The system allows <see cref="MachineCode"/> and the processor widens halves.</summary>
    public static bool IsSupported { get; } =
        Avx2.IsSupported && (X86Base.CpuId(1, 0).Ecx & HalfConversion) != 0 && MachineCode.IsSupported;

    /// <inheritdoc/>
    public override int MaxHalfQueries => 24;

    /// <inheritdoc/>
    public override void Run(QueryPart part, int vectors, int queries)
    {
        var all = part;
        for (var vector = 0; vector < vectors;)
        {
            var log = int.Log2(Math.Min(_maxVectors, vectors - vector));
            var groups = (queries + _maxQueries - 1) / _maxQueries;
            for (var (group, first) = (0, 0); group < groups; group++)
            {
                var end = queries * (group + 1) / groups;
                var prefetches = group == 0 && all.Prefetch is not null;
                part.Rows = all.Rows + (vector * all.VectorStride);
                part.Weights = all.Weights + (first * WeightStride);
                part.Output = all.Output + (first * all.OutputStride) + (vector * 16);
                part.Prefetch = prefetches ? all.Prefetch + (vector * HalfBytes * all.Count) : part.Rows;
                part.PrefetchBytes = prefetches ? HalfBytes << log : 0;
                Loop(log, end - first)(&part);
                first = end;
            }

            vector += 1 << log;
        }
    }

    private delegate* unmanaged[SuppressGCTransition]<QueryPart*, void> Loop(int logVectors, int queries) =>
        (delegate* unmanaged[SuppressGCTransition]<QueryPart*, void>)_loops[(logVectors * _maxQueries) + queries - 1];
}
