using System.Runtime.Intrinsics.X86;
using Forerun.Core.Numerics;

namespace Forerun.UnitTests.Numerics;

/// <summary>Code that the program wrote runs.</summary>
public unsafe class MachineCodeTests
{
    [Fact]
    public void Entries_SeveralFunctions_EachRuns()
    {
        Assert.SkipUnless(X86Base.X64.IsSupported && MachineCode.IsSupported, "This machine runs no such code.");
        var code = new MachineCode([Return(42), [.. Enumerable.Repeat((byte)0x90, 100), .. Return(43)], Return(44)]);
        Assert.Equal([42, 43, 44], Enumerable.Range(0, 3).Select(i => ((delegate* unmanaged<int>)code[i])()));
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(0, code[i] % 64));
    }

    /// <summary><c>mov eax, value; ret</c>.</summary>
    private static byte[] Return(byte value) => [0xB8, value, 0, 0, 0, 0xC3];
}
