using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Forerun.Inference.Kernels;

/// <summary>How the rows of a pass are divided into groups that share one walk over the weights: as few groups as
/// the kernel's row limit allows, of sizes that differ by at most one.</summary>
/// <param name="rowCount">Rows in the pass.</param>
/// <param name="maxRows">Most rows of one kernel call.</param>
internal readonly struct RowGroups(int rowCount, int maxRows)
{
    private readonly int _small = rowCount / Math.Max(1, (rowCount + maxRows - 1) / maxRows);
    private readonly int _larger = rowCount % Math.Max(1, (rowCount + maxRows - 1) / maxRows);

    /// <summary>Number of rows.</summary>
    public int RowCount { get; } = rowCount;

    /// <summary>Number of groups.</summary>
    public int Count { get; } = (rowCount + maxRows - 1) / maxRows;

    /// <summary>First row of a group; larger groups come first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Start(int group) => (group * _small) + Math.Min(group, _larger);

    /// <summary>Rows of a group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Size(int group) => group < _larger ? _small + 1 : _small;

    /// <summary>The group that holds <paramref name="row"/>.</summary>
    public int GroupOf(int row)
    {
        var inLarger = _larger * (_small + 1);
        return row < inLarger ? row / (_small + 1) : _larger + ((row - inLarger) / _small);
    }
}

/// <summary>Activations as int8, 32 columns a block, each block with its own scale: what the integer kernels read.</summary>
/// <remarks>Per group of T rows and block: quants <c>[8, T, 4]</c> int8, factors <c>[T]</c> float (largest magnitude
/// ÷ 127), sums <c>[T]</c> int32 of the quants, scaled sums <c>[T]</c> float (factor times sum). Rounding is to nearest,
/// ties to even.</remarks>
internal static unsafe class ActivationBlocks
{
    /// <summary>Bytes of one row in one block.</summary>
    public const int BytesPerRow = 44;

    /// <summary>Blocks without a larger magnitude become zeros: 127 ÷ a smaller one would overflow.</summary>
    public const float LeastMagnitude = 1e-36f;

    /// <summary>Bytes for <paramref name="rows"/> rows of <paramref name="columns"/> columns.</summary>
    public static long Bytes(int rows, int columns) => (long)rows * (columns / 32) * BytesPerRow;

    /// <summary>Quantises columns of one row into their place.</summary>
    /// <param name="source">The row, <c>[columns]</c>.</param>
    /// <param name="columns">A multiple of 32.</param>
    /// <param name="start">First column to quantise, a multiple of 32.</param>
    /// <param name="end">End of the columns to quantise, a multiple of 32.</param>
    /// <param name="blocks">All blocks of the pass.</param>
    /// <param name="groups">The division of the pass's rows.</param>
    /// <param name="row">Which row.</param>
    public static void Quantize(
        float* source, int columns, int start, int end, byte* blocks, in RowGroups groups, int row)
    {
        var group = groups.GroupOf(row);
        var size = groups.Size(group);
        var index = row - groups.Start(group);
        var block = blocks + Bytes(groups.Start(group), columns) + Bytes(size, start);
        for (var column = start; column < end; column += 32, block += BytesPerRow * size)
        {
            QuantizeBlock(source + column, block, size, index);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void QuantizeBlock(float* source, byte* block, int size, int index)
    {
        var a = Vector256.Load(source);
        var b = Vector256.Load(source + 8);
        var c = Vector256.Load(source + 16);
        var d = Vector256.Load(source + 24);
        var largest = LargestMagnitude(a, b, c, d);
        var factor = largest / 127f;
        var inverse = largest >= LeastMagnitude ? 127f / largest : 0f;

        // Adding 1.5 * 2^23 rounds to nearest even and leaves the integer, two's complement, in the low bits.
        var magic = Vector256.Create(12582912f);
        var q0 = ((a * inverse) + magic).AsInt32();
        var q1 = ((b * inverse) + magic).AsInt32();
        var q2 = ((c * inverse) + magic).AsInt32();
        var q3 = ((d * inverse) + magic).AsInt32();
        var sum = Vector256.Sum(q0 + q1 + q2 + q3 - Vector256.Create(unchecked(4 * 0x4B400000)));
        StoreBytes(q0, block + (index * 4), size * 4);
        StoreBytes(q1, block + (((2 * size) + index) * 4), size * 4);
        StoreBytes(q2, block + (((4 * size) + index) * 4), size * 4);
        StoreBytes(q3, block + (((6 * size) + index) * 4), size * 4);
        var tail = block + (32 * size);
        ((float*)tail)[index] = factor;
        ((int*)tail)[size + index] = sum;
        ((float*)tail)[(2 * size) + index] = factor * sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float LargestMagnitude(
        Vector256<float> a, Vector256<float> b, Vector256<float> c, Vector256<float> d)
    {
        var v = Vector256.MaxNative(
            Vector256.MaxNative(Vector256.Abs(a), Vector256.Abs(b)),
            Vector256.MaxNative(Vector256.Abs(c), Vector256.Abs(d)));
        var half = Vector128.MaxNative(v.GetLower(), v.GetUpper());
        half = Vector128.MaxNative(half, Vector128.Shuffle(half, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(half.ToScalar(), half.GetElement(1));
    }

    /// <summary>The low bytes of eight integers: four to <paramref name="destination"/>, four a stride further.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreBytes(Vector256<int> values, byte* destination, int stride)
    {
        var order = Vector128.Create((byte)0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        *(int*)destination = Vector128.Shuffle(values.GetLower().AsByte(), order).AsInt32().ToScalar();
        *(int*)(destination + stride) = Vector128.Shuffle(values.GetUpper().AsByte(), order).AsInt32().ToScalar();
    }
}
