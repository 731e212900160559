using System.Runtime.CompilerServices;

namespace Forerun.Inference.Kernels;

/// <summary>The sums of a slice, one a row, in <see cref="TileKernel{TDot, TAccumulator, TWeights, TFloats, TFloat}"/>: locals of its loop,
/// and so in registers, for up to <see cref="ITileDot{TAccumulator, TFloat, TWeights}.RowsInRegisters"/> rows; in memory for more, as
/// they are wanted only once a block. Either of the two that is not used costs nothing.</summary>
internal static unsafe class SliceSums<TDot, TAccumulator, TWeights, TFloats, TFloat>
    where TDot : struct, ITileDot<TAccumulator, TFloat, TWeights>
    where TAccumulator : struct
    where TWeights : struct
    where TFloats : struct, IRowFloats<TFloat>
    where TFloat : struct
{
    /// <summary>A slice begins.</summary>
    /// <param name="memory">The sums, if they are in memory, <c>[rows, TDot.Rows]</c>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Clear<TRows>(float* memory)
        where TRows : struct, IRowCount
    {
        for (var row = 0; row < TRows.Count && InMemory<TRows>(); row++)
        {
            TFloats.Store(default, memory + (row * TDot.Rows));
        }
    }

    /// <summary>Adds a block to a row's sum.</summary>
    /// <param name="block">The block's integer sums.</param>
    /// <param name="factor">The row's factor; its integer sum and its scaled sum lie <c>TRows.Count</c> and twice as far behind.
    /// </param>
    /// <param name="scale">The block's scales.</param>
    /// <param name="minimum">The block's minima.</param>
    /// <param name="local">The row's sum, if it is in a register.</param>
    /// <param name="memory">The row's sum, if it is in memory.</param>
    /// <returns>The new value of <paramref name="local"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TFloat AddBlock<TFormat, TRows>(
        TAccumulator block, float* factor, TFloat scale, TFloat minimum, TFloat local, float* memory)
        where TFormat : struct, ITileFormat
        where TRows : struct, IRowCount
    {
        var dot = TDot.ToFloat<TFormat>(block, ((int*)factor)[TRows.Count]);
        var scaledSum = factor[2 * TRows.Count];
        scale = TFloats.Multiply(scale, *factor);
        if (InMemory<TRows>())
        {
            var sum = TFloats.MultiplyAdd(dot, scale, TFloats.Load(memory));
            TFloats.Store(TFormat.HasMinimum ? TFloats.MultiplyAdd(minimum, scaledSum, sum) : sum, memory);
            return default;
        }

        local = TFloats.MultiplyAdd(dot, scale, local);
        return TFormat.HasMinimum ? TFloats.MultiplyAdd(minimum, scaledSum, local) : local;
    }

    /// <summary>A slice is over: writes a row's sum, or adds it to the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Finish<TRows>(TFloat local, float* memory, float* output, bool accumulate)
        where TRows : struct, IRowCount
    {
        var slice = InMemory<TRows>() ? TFloats.Load(memory) : local;
        TFloats.Store(accumulate ? TFloats.Add(TFloats.Load(output), slice) : slice, output);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool InMemory<TRows>()
        where TRows : struct, IRowCount => TRows.Count > TDot.RowsInRegisters;
}
