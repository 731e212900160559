using Forerun.Inference.Weights;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Forerun.Inference.Kernels;

/// <summary>Writes the innermost loop of the engine for AVX-512 VNNI, whose 512-bit multiply-adds .NET has no class for:
/// sixteen weight rows against 1 … <see cref="MaxRows"/> activation rows. The steps, and the bits, are those of
/// <see cref="TileKernel{TDot, TAccumulator, TWeights, TFloats, TFloat}"/>.</summary>
/// <remarks>The loop is a function of one argument, a pointer to a <see cref="TilePart"/>. It writes only to registers that
/// no system's callers expect back: rax, rcx, rdx, r8 … r11, zmm0 … zmm5 and zmm16 … zmm31.</remarks>
/// <param name="rows">Activation rows.</param>
internal sealed class VnniAssembler<TFormat>(int rows)
    where TFormat : struct, ITileFormat
{
    /// <summary>Most activation rows: each takes two registers.</summary>
    public const int MaxRows = 8;

    private static readonly AssemblerRegister64 Part = r11;
    private static readonly AssemblerRegister64 Quants = rcx;
    private static readonly AssemblerRegister64 Scales = rdx;
    private static readonly AssemblerRegister64 Activation = r8;
    private static readonly AssemblerRegister64 Prefetch = r9;
    private static readonly AssemblerRegister32 Blocks = r10d;
    private static readonly AssemblerRegisterZMM Low = zmm0;
    private static readonly AssemblerRegisterZMM High = zmm1;
    private static readonly AssemblerRegisterZMM Nibble = zmm2;
    private static readonly AssemblerRegisterZMM Scale = zmm3;
    private static readonly AssemblerRegisterZMM Minimum = zmm4;
    private static readonly AssemblerRegisterZMM Temporary = zmm5;
    private static readonly AssemblerRegisterZMM[] Slices = [zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23];
    private static readonly AssemblerRegisterZMM[] Sums = [zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31];

    private readonly Assembler _code = new(64);
    private Label _nibble;
    private Label _halfBits;
    private Label _twoToThe112;

    /// <summary>The machine code; it may lie anywhere.</summary>
    public byte[] Assemble()
    {
        (_nibble, _halfBits, _twoToThe112) = (_code.CreateLabel(), _code.CreateLabel(), _code.CreateLabel());
        _code.mov(Part, OperatingSystem.IsWindows() ? rcx : rdi);
        _code.mov(Quants, __qword_ptr[Part + TilePart.QuantsOffset]);
        _code.mov(Scales, __qword_ptr[Part + TilePart.ScalesOffset]);
        _code.mov(Activation, __qword_ptr[Part + TilePart.ActivationOffset]);
        _code.mov(Prefetch, __qword_ptr[Part + TilePart.PrefetchOffset]);
        _code.vpbroadcastd(Nibble, __dword_ptr[_nibble]);
        var slice = _code.CreateLabel();
        _code.Label(ref slice);
        MultiplySlice();
        FinishSlice();
        _code.mov(__dword_ptr[Part + TilePart.AccumulateOffset], 1);
        _code.sub(__dword_ptr[Part + TilePart.BlockCountOffset], WeightMatrix.SliceBlocks);
        _code.jg(slice);
        _code.vzeroupper();
        _code.ret();
        Constant(ref _nibble, 0x0F0F0F0F);
        Constant(ref _halfBits, 0x8FFFE000);
        Constant(ref _twoToThe112, 0x77800000);
        return _code.ToBytes();
    }

    private void Constant(ref Label label, uint value)
    {
        _code.Label(ref label);
        _code.dd(value);
    }

    private void MultiplySlice()
    {
        _code.mov(Blocks, __dword_ptr[Part + TilePart.BlockCountOffset]);
        _code.mov(eax, WeightMatrix.SliceBlocks);
        _code.cmp(Blocks, eax);
        _code.cmovg(Blocks, eax);
        Clear(Slices);
        var block = _code.CreateLabel();
        _code.Label(ref block);
        PrefetchLines();
        Clear(Sums);
        for (var step = 0; step < 4; step++)
        {
            LoadWeights(step);
            MultiplyGroups(step);
        }

        ScaleSums();
        _code.add(Quants, TFormat.Nibbles ? 256 : 512);
        _code.add(Scales, TFormat.HasMinimum ? 64 : 32);
        _code.add(Activation, ActivationBlocks.BytesPerRow * rows);
        _code.dec(Blocks);
        _code.jne(block);
    }

    private void Clear(AssemblerRegisterZMM[] registers)
    {
        for (var row = 0; row < rows; row++)
        {
            _code.vpxord(registers[row], registers[row], registers[row]);
        }
    }

    private void PrefetchLines()
    {
        var (line, end) = (_code.CreateLabel(), _code.CreateLabel());
        _code.movsxd(rax, __dword_ptr[Part + TilePart.PrefetchBytesOffset]);
        _code.add(Prefetch, rax);
        _code.neg(rax);
        _code.jns(end);
        _code.Label(ref line);
        _code.prefetcht0(__byte_ptr[Prefetch + rax]);
        _code.add(rax, 64);
        _code.js(line);
        _code.Label(ref end);
    }

    /// <summary>Column groups 2 * step and 2 * step + 1 of a block, unpacked.</summary>
    private void LoadWeights(int step)
    {
        if (TFormat.Nibbles)
        {
            _code.vmovdqu32(High, __zmmword_ptr[Quants + (step * 64)]);
            _code.vpandd(Low, High, Nibble);
            _code.vpsrlw(High, High, 4);
            _code.vpandd(High, High, Nibble);
        }
        else
        {
            _code.vmovdqu32(Low, __zmmword_ptr[Quants + (step * 128)]);
            _code.vmovdqu32(High, __zmmword_ptr[Quants + (step * 128) + 64]);
        }
    }

    private void MultiplyGroups(int step)
    {
        var groupBytes = 4 * rows;
        for (var row = 0; row < rows; row++)
        {
            var first = (2 * step * groupBytes) + (4 * row);
            _code.vpdpbusd(Sums[row], Low, __dword_bcst[Activation + first]);
            _code.vpdpbusd(Sums[row], High, __dword_bcst[Activation + (first + groupBytes)]);
        }
    }

    /// <summary>Takes the offset out, scales the block's sums and adds them to the slice.</summary>
    private void ScaleSums()
    {
        LoadHalves(Scale, 0);
        if (TFormat.HasMinimum)
        {
            LoadHalves(Minimum, 32);
        }

        for (var row = 0; row < rows; row++)
        {
            var factor = (32 * rows) + (4 * row);
            var (sum, scaledSum) = (factor + (4 * rows), factor + (8 * rows));
            if (TFormat.Offset != 0)
            {
                _code.vpslld(Temporary, __dword_bcst[Activation + sum], (byte)int.Log2(TFormat.Offset));
                _code.vpsubd(Sums[row], Sums[row], Temporary);
            }

            _code.vcvtdq2ps(Sums[row], Sums[row]);
            _code.vmulps(Temporary, Scale, __dword_bcst[Activation + factor]);
            _code.vfmadd231ps(Slices[row], Sums[row], Temporary);
            if (TFormat.HasMinimum)
            {
                _code.vfmadd231ps(Slices[row], Minimum, __dword_bcst[Activation + scaledSum]);
            }
        }
    }

    /// <summary>Sixteen halves, widened exactly: shifted into place, then times 2^112.</summary>
    private void LoadHalves(AssemblerRegisterZMM target, int offset)
    {
        _code.vpmovsxwd(target, __ymmword_ptr[Scales + offset]);
        _code.vpslld(target, target, 13);
        _code.vpandd(target, target, __dword_bcst[_halfBits]);
        _code.vmulps(target, target, __dword_bcst[_twoToThe112]);
    }

    /// <summary>Writes the slice, or adds it to the output.</summary>
    private void FinishSlice()
    {
        var store = _code.CreateLabel();
        _code.movsxd(r10, __dword_ptr[Part + TilePart.OutputStrideOffset]);
        _code.cmp(__dword_ptr[Part + TilePart.AccumulateOffset], 0);
        _code.je(store);
        OverOutput((slice, output) => _code.vaddps(slice, slice, output));
        _code.Label(ref store);
        OverOutput((slice, output) => _code.vmovups(output, slice));
    }

    private void OverOutput(Action<AssemblerRegisterZMM, AssemblerMemoryOperand> step)
    {
        _code.mov(rax, __qword_ptr[Part + TilePart.OutputOffset]);
        for (var row = 0; row < rows; row++)
        {
            step(Slices[row], __zmmword_ptr[rax]);
            _code.lea(rax, __[rax + (r10 * 4)]);
        }
    }
}
