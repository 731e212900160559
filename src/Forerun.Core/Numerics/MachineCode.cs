using System.IO.MemoryMappedFiles;

namespace Forerun.Core.Numerics;

/// <summary>Functions in machine code, in memory that can be run and is no longer written. Immutable; thread-safe.</summary>
public sealed class MachineCode
{
    private const int Alignment = 64;

    private readonly MemoryMappedViewAccessor _view;
    private readonly nint[] _functions;

    /// <summary>Makes <paramref name="functions"/> runnable. They must not depend on where they lie.</summary>
    /// <exception cref="IOException">The system has no memory of this kind.</exception>
    /// <exception cref="UnauthorizedAccessException">The system forbids it.</exception>
    public MachineCode(IReadOnlyList<byte[]> functions)
    {
        long size = functions.Sum(function => (long)Aligned(function.Length));
        using var memory = MemoryMappedFile.CreateNew(null, size, MemoryMappedFileAccess.ReadWriteExecute);
        _view = memory.CreateViewAccessor(0, size, MemoryMappedFileAccess.ReadExecute);
        _functions = new nint[functions.Count];
        using var writable = memory.CreateViewStream(0, size, MemoryMappedFileAccess.Write);
        for (var i = 0; i < _functions.Length; i++)
        {
            _functions[i] = _view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)writable.Position;
            writable.Write(functions[i]);
            writable.Position += Aligned(functions[i].Length) - functions[i].Length;
        }
    }

    /// <summary>Whether this system lets a program run code that it wrote.</summary>
    public static bool IsSupported { get; } = Try();

    /// <summary>A function's address, valid as long as this object lives.</summary>
    public nint this[int index] => _functions[index];

    private static int Aligned(int length) => (length + Alignment - 1) / Alignment * Alignment;

    private static bool Try()
    {
        try
        {
            _ = new MachineCode([new byte[1]]);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return false;
        }
    }
}
