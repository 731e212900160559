using System.Runtime.Intrinsics.X86;

namespace Forerun.Core.Numerics;

/// <summary>Whether assembled code may use 512-bit VNNI. .NET 10 has no class for it, and a program compiled ahead of time
/// does not know of AVX-512 at all, so the processor and the system are asked.</summary>
internal static unsafe class Avx512Vnni
{
    private const int OsXSave = 1 << 27;
    private const int FoundationAndBytes = (1 << 16) | (1 << 30);
    private const int Vnni = 1 << 11;

    /// <summary>The parts of a thread's registers that the system saves: SSE, AVX and the three of AVX-512.</summary>
    private const ulong SavedState = 0b1110_0110;

    /// <summary><c>xor ecx, ecx; xgetbv; shl rdx, 32; or rax, rdx; ret</c>.</summary>
    private static ReadOnlySpan<byte> ReadSavedState =>
        [0x31, 0xC9, 0x0F, 0x01, 0xD0, 0x48, 0xC1, 0xE2, 0x20, 0x48, 0x09, 0xD0, 0xC3];

    /// <summary>The processor has it, the system saves its registers and allows <see cref="MachineCode"/>.</summary>
    public static bool IsSupported { get; } = X86Base.X64.IsSupported && IsInProcessor() && MachineCode.IsSupported && IsSaved();

    private static bool IsInProcessor()
    {
        if (X86Base.CpuId(0, 0).Eax < 7 || (X86Base.CpuId(1, 0).Ecx & OsXSave) == 0)
        {
            return false;
        }

        var (_, ebx, ecx, _) = X86Base.CpuId(7, 0);
        return (ebx & FoundationAndBytes) == FoundationAndBytes && (ecx & Vnni) != 0;
    }

    private static bool IsSaved()
    {
        var code = new MachineCode([ReadSavedState.ToArray()]);
        return (((delegate* unmanaged<ulong>)code[0])() & SavedState) == SavedState;
    }
}
