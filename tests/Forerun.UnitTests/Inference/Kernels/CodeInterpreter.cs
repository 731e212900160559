using Iced.Intel;

namespace Forerun.UnitTests.Inference.Kernels;

/// <summary>Runs x86-64 machine code step by step, on any machine: the few instructions that assembled attention uses.</summary>
internal sealed unsafe class CodeInterpreter
{
    private bool _below;

    /// <summary>rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15.</summary>
    public ulong[] General { get; } = new ulong[16];

    /// <summary>zmm0 … zmm31, sixteen floats each.</summary>
    public float[][] Vectors { get; } = [.. Enumerable.Range(0, 32).Select(_ => new float[16])];

    /// <summary>Runs to the first <c>ret</c>.</summary>
    public void Run(byte[] code)
    {
        var instructions = new Dictionary<ulong, Instruction>();
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        while (decoder.IP < (ulong)code.Length)
        {
            var instruction = decoder.Decode();
            instructions.Add(instruction.IP, instruction);
        }

        for (var ip = 0ul; instructions[ip] is var next && next.Mnemonic != Mnemonic.Ret;)
        {
            ip = Step(next);
        }
    }

    private ulong Step(in Instruction step)
    {
        switch (step.Mnemonic)
        {
            case Mnemonic.Mov:
                General[Target(step)] = Operand(step);
                break;
            case Mnemonic.Lea:
                General[Target(step)] = Address(step);
                break;
            case Mnemonic.Add:
                General[Target(step)] += Operand(step);
                break;
            case Mnemonic.Sub:
                General[Target(step)] -= Operand(step);
                break;
            case Mnemonic.Cmp:
                _below = General[Target(step)] < Operand(step);
                break;
            case Mnemonic.Jae:
                return _below ? step.NextIP : step.NearBranchTarget;
            case Mnemonic.Jb:
                return _below ? step.NearBranchTarget : step.NextIP;
            case Mnemonic.Prefetcht0 or Mnemonic.Vzeroupper:
                break;
            default:
                StepVectors(step);
                break;
        }

        return step.NextIP;
    }

    private void StepVectors(in Instruction step)
    {
        if (step.Op0Kind == OpKind.Memory)
        {
            Assert.Equal(Mnemonic.Vmovups, step.Mnemonic);
            Vectors[step.Op1Register.GetNumber()].AsSpan(0, Lanes(step.Op1Register)).CopyTo(new Span<float>((void*)Address(step), 16));
            return;
        }

        var target = Vectors[Target(step)];
        for (var lane = 0; lane < target.Length; lane++)
        {
            target[lane] = lane >= Lanes(step.Op0Register) ? 0 : step.Mnemonic switch
            {
                Mnemonic.Vmovups => ((float*)Address(step))[lane],
                Mnemonic.Vbroadcastss => *(float*)Address(step),
                Mnemonic.Vcvtph2ps => (float)((Half*)Address(step))[lane],
                Mnemonic.Vfmadd231ps => MathF.FusedMultiplyAdd(
                    Vectors[step.Op1Register.GetNumber()][lane], Vectors[step.Op2Register.GetNumber()][lane], target[lane]),
                Mnemonic.Vxorps or Mnemonic.Vpxord when step.Op1Register == step.Op2Register => 0,
                _ => throw new NotSupportedException(step.ToString()),
            };
        }
    }

    private static int Target(in Instruction step) => step.Op0Register.GetNumber();

    private static int Lanes(Register register) => register.GetSize() / sizeof(float);

    private ulong Address(in Instruction step)
    {
        var scaled = step.MemoryIndex == Register.None ? 0 : General[step.MemoryIndex.GetNumber()] * (ulong)step.MemoryIndexScale;
        return General[step.MemoryBase.GetNumber()] + scaled + step.MemoryDisplacement64;
    }

    private ulong Operand(in Instruction step) => step.Op1Kind switch
    {
        OpKind.Register => General[step.Op1Register.GetNumber()],
        OpKind.Memory => *(ulong*)Address(step),
        _ => step.GetImmediate(1),
    };
}
