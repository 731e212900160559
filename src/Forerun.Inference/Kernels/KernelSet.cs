using System.Runtime.Intrinsics;
using Forerun.Core.Numerics;
using Forerun.Inference.Weights;

namespace Forerun.Inference.Kernels;

/// <summary>The kernels of one instruction set. Stateless; thread-safe.</summary>
internal sealed class KernelSet
{
    private readonly MatrixKernel[] _matrix;

    private KernelSet(InstructionSet instructionSet, MatrixKernel[] matrix, RowKernel rows, AttentionKernel attention)
    {
        InstructionSet = instructionSet;
        _matrix = matrix;
        Rows = rows;
        Attention = attention;
    }

    /// <summary>The instruction set.</summary>
    public InstructionSet InstructionSet { get; }

    /// <summary>Row work.</summary>
    public RowKernel Rows { get; }

    /// <summary>Attention.</summary>
    public AttentionKernel Attention { get; }

    /// <summary>Most activation rows of one kernel call; the same for all formats, which share activations.</summary>
    public int MaxRows => _matrix[0].MaxRows;

    /// <summary>The kernels of an instruction set.</summary>
    /// <exception cref="PlatformNotSupportedException">This machine lacks it.</exception>
    public static KernelSet Create(InstructionSet set)
    {
        if (!InstructionSets.Supported(set))
        {
            throw new PlatformNotSupportedException(
                $"This machine cannot run the instruction set '{set}'; it has {string.Join(", ", InstructionSets.All)}.");
        }

        return set switch
        {
            InstructionSet.Avx512Vnni => Vector512.IsHardwareAccelerated ? Assembled<Lanes512>(set) : Assembled<Lanes256>(set),
            InstructionSet.Avx512 => new(
                set,
                [Avx512<Q8Tile>(8), Avx512<Q4Tile>(8), Avx512<Q4MinimumTile>(8), new FloatMatrixKernel<Lanes512>(8)],
                new RowKernel<Lanes512>(),
                AttentionIn<Lanes512>(wide: true)),
            InstructionSet.AvxVnni => new(
                set,
                [Vnni<Q8Tile>(4), Vnni<Q4Tile>(4), Vnni<Q4MinimumTile>(4), new FloatMatrixKernel<Lanes256>(4)],
                new RowKernel<Lanes256>(),
                AttentionIn<Lanes256>(wide: false)),
            InstructionSet.Avx2 => new(
                set,
                [Avx2<Q8Tile>(8), Avx2<Q4Tile>(8), Avx2<Q4MinimumTile>(8), new FloatMatrixKernel<Lanes256>(8)],
                new RowKernel<Lanes256>(),
                AttentionIn<Lanes256>(wide: false)),
            InstructionSet.ArmDot => new(
                set,
                [Arm<Q8Tile>(6), Arm<Q4Tile>(6), Arm<Q4MinimumTile>(6), new FloatMatrixKernel<Lanes128>(6)],
                new RowKernel<Lanes128>(),
                new AttentionKernel<Lanes128>()),
            _ => new(
                set,
                [Portable<Q8Tile>(4), Portable<Q4Tile>(4), Portable<Q4MinimumTile>(4), new FloatMatrixKernel<Lanes128>(4)],
                new RowKernel<Lanes128>(),
                new AttentionKernel<Lanes128>()),
        };
    }

    /// <summary>The kernel for a weight format.</summary>
    public MatrixKernel Matrix(TileFormat format) => _matrix[(int)format];

    /// <summary>Multiply-adds assembled; the rest in lanes, 256-bit ones where a program compiled ahead of time has no more.
    /// </summary>
    private static KernelSet Assembled<TLanes>(InstructionSet set)
        where TLanes : struct, ILanes<TLanes> => new(
            set,
            [
                new AssembledMatrixKernel<Q8Tile>(),
                new AssembledMatrixKernel<Q4Tile>(),
                new AssembledMatrixKernel<Q4MinimumTile>(),
                new FloatMatrixKernel<TLanes>(AssembledMatrixKernel<Q8Tile>.MaxGroup),
            ],
            new RowKernel<TLanes>(),
            AttentionIn<TLanes>(wide: true));

    private static AttentionKernel<TLanes> AttentionIn<TLanes>(bool wide)
        where TLanes : struct, ILanes<TLanes> => AssembledQueryProduct.IsSupported
            ? new(AssembledQueryProduct.Get(wide, halves: true), AssembledQueryProduct.Get(wide, halves: false))
            : new();

    private static CompiledMatrixKernel<Avx512Dot, Avx512Dot.Accumulator, Avx512Dot.Weights, RowFloats512, Vector512<float>, TFormat> Avx512<TFormat>(int maxRows)
        where TFormat : struct, ITileFormat => new(maxRows);

    private static CompiledMatrixKernel<AvxVnniDot, Vector256<int>, ColumnGroups256, RowFloats256, Vector256<float>, TFormat> Vnni<TFormat>(int maxRows)
        where TFormat : struct, ITileFormat => new(maxRows);

    private static CompiledMatrixKernel<Avx2Dot, Vector256<short>, ColumnGroups256, RowFloats256, Vector256<float>, TFormat> Avx2<TFormat>(int maxRows)
        where TFormat : struct, ITileFormat => new(maxRows);

    private static CompiledMatrixKernel<ArmDot, Vector128<int>, ArmDot.Weights, RowFloats128, Vector128<float>, TFormat> Arm<TFormat>(int maxRows)
        where TFormat : struct, ITileFormat => new(maxRows);

    private static CompiledMatrixKernel<PortableDot, Vector128<int>, PortableDot.Weights, RowFloats128, Vector128<float>, TFormat> Portable<TFormat>(int maxRows)
        where TFormat : struct, ITileFormat => new(maxRows);
}
