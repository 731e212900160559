using Iced.Intel;

namespace Forerun.Inference.Kernels;

/// <summary>What an assembler has written, as bytes.</summary>
internal static class AssemblerBytes
{
    /// <summary>The machine code, which may lie anywhere.</summary>
    public static byte[] ToBytes(this Assembler code)
    {
        using var stream = new MemoryStream();
        code.Assemble(new StreamCodeWriter(stream), rip: 0);
        return stream.ToArray();
    }
}
