using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Forerun.Core.Numerics;

/// <summary>The code paths of the engine. All give the same bits; they differ in speed only.</summary>
public enum InstructionSet
{
    /// <summary>128-bit vectors, on any machine.</summary>
    Portable,

    /// <summary>Arm64 with the dot-product extension.</summary>
    ArmDot,

    /// <summary>x86-64 with AVX2 and FMA.</summary>
    Avx2,

    /// <summary>x86-64 with AVX-VNNI (256-bit) beside AVX2.</summary>
    AvxVnni,

    /// <summary>x86-64 with AVX-512 F and BW.</summary>
    Avx512,

    /// <summary>x86-64 with AVX-512 F, BW and VNNI, whose multiply-adds are assembled at start (see <see cref="Numerics.Avx512Vnni"/>).
    /// </summary>
    Avx512Vnni,
}

/// <summary>Which instruction sets this machine has.</summary>
public static class InstructionSets
{
    /// <summary>The fastest path of this machine.</summary>
    public static InstructionSet Best { get; } =
        Supported(InstructionSet.Avx512Vnni) ? InstructionSet.Avx512Vnni
        : Supported(InstructionSet.Avx512) ? InstructionSet.Avx512
        : Supported(InstructionSet.AvxVnni) ? InstructionSet.AvxVnni
        : Supported(InstructionSet.Avx2) ? InstructionSet.Avx2
        : Supported(InstructionSet.ArmDot) ? InstructionSet.ArmDot
        : InstructionSet.Portable;

    /// <summary>Whether this machine can run <paramref name="set"/>.</summary>
    public static bool Supported(InstructionSet set) => set switch
    {
        InstructionSet.Portable => true,
        InstructionSet.ArmDot => System.Runtime.Intrinsics.Arm.Dp.IsSupported,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        InstructionSet.AvxVnni => Supported(InstructionSet.Avx2) && AvxVnni.IsSupported,
        InstructionSet.Avx512 => Supported(InstructionSet.Avx2) && Avx512BW.IsSupported
            && Vector512.IsHardwareAccelerated,
        InstructionSet.Avx512Vnni => Supported(InstructionSet.Avx2) && Avx512Vnni.IsSupported,
        _ => false,
    };

    /// <summary>The paths this machine can run, slowest first.</summary>
    public static IReadOnlyList<InstructionSet> All { get; } =
        [.. Enum.GetValues<InstructionSet>().Where(Supported)];
}
