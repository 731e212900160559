using Forerun.Inference.Kernels;
using Iced.Intel;

namespace Forerun.UnitTests.Inference.Kernels;

/// <summary>What assembled code promises beside its results, read back from the code: on any x86-64 machine.</summary>
public class VnniAssemblerTests
{
    private static readonly HashSet<Register> Volatile =
    [
        Register.RAX, Register.RCX, Register.RDX, Register.R8, Register.R9, Register.R10, Register.R11,
        .. Enumerable.Range(0, 6).Select(i => Register.ZMM0 + i),
        .. Enumerable.Range(16, 16).Select(i => Register.ZMM0 + i),
    ];

    [Fact]
    public void Assemble_AnyFormatAndRowCount_ChangesNoRegisterThatCallersExpectBack()
    {
        for (var rows = 1; rows <= VnniAssembler<Q8Tile>.MaxRows; rows++)
        {
            AssertVolatile(new VnniAssembler<Q8Tile>(rows).Assemble());
            AssertVolatile(new VnniAssembler<Q4Tile>(rows).Assemble());
            AssertVolatile(new VnniAssembler<Q4MinimumTile>(rows).Assemble());
        }
    }

    private static void AssertVolatile(byte[] code)
    {
        var info = new InstructionInfoFactory();
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code));
        Instruction instruction;
        var writes = 0;
        do
        {
            decoder.Decode(out instruction);
            Assert.False(instruction.IsInvalid);
            if (instruction.Code is Code.VEX_Vzeroupper or Code.Retnq)
            {
                continue;
            }

            foreach (var used in info.GetInfo(instruction).GetUsedRegisters())
            {
                if (used.Access is not (OpAccess.Read or OpAccess.CondRead))
                {
                    writes++;
                    Assert.Contains(used.Register.GetFullRegister(), Volatile);
                }
            }
        }
        while (instruction.Code != Code.Retnq);
        Assert.True(writes > 30, $"{writes} writes were seen");
    }
}
