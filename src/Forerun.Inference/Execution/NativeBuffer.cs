using System.Runtime.InteropServices;

namespace Forerun.Inference.Execution;

/// <summary>Memory outside the managed heap, aligned to a cache line. Uninitialised unless cleared.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private byte* _pointer;

    /// <summary>Allocates <paramref name="bytes"/> bytes and a cache line more, which prefetches may touch.</summary>
    public NativeBuffer(long bytes, bool clear = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        _pointer = (byte*)NativeMemory.AlignedAlloc(checked((nuint)bytes + 64), 64);
        if (clear)
        {
            NativeMemory.Clear(_pointer, (nuint)bytes);
        }
    }

    /// <summary>Frees the memory where nobody disposed of it.</summary>
    ~NativeBuffer() => Free();

    /// <summary>Usable size.</summary>
    public long Bytes { get; }

    /// <summary>First byte.</summary>
    public byte* Pointer => _pointer;

    /// <summary>First float.</summary>
    public float* Floats => (float*)_pointer;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
