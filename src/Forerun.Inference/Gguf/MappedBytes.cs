using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Forerun.Inference.Gguf;

/// <summary>Read-only bytes that stay at one address: a memory-mapped file, or a pinned array.</summary>
internal sealed unsafe partial class MappedBytes : IDisposable
{
    private const int DontNeed = 4;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly SafeFileHandle? _handle;
    private readonly byte[]? _bytes;
    private GCHandle _pin;
    private byte* _start;

    private MappedBytes(string path)
    {
        _handle = File.OpenHandle(path);
        Length = RandomAccess.GetLength(_handle);
        if (Length == 0)
        {
            return;
        }

        _file = MemoryMappedFile.CreateFromFile(
            _handle, mapName: null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    private MappedBytes(byte[] bytes)
    {
        _bytes = bytes;
        Length = bytes.Length;
        _pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        _start = (byte*)_pin.AddrOfPinnedObject();
    }

    /// <summary>Number of bytes.</summary>
    public long Length { get; }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Maps a file.</summary>
    public static MappedBytes Open(string path) => new(path);

    /// <summary>Pins an array.</summary>
    public static MappedBytes Of(byte[] bytes) => new(bytes);

    /// <summary>The address of <paramref name="offset"/>; the caller knows that it is inside.</summary>
    public byte* Pointer(long offset)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        return _start + offset;
    }

    /// <summary>A piece; the caller knows that it is inside.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int length) => new(Pointer(offset), length);

    /// <summary>Copies a piece without touching the mapping, so that it does not become resident.</summary>
    /// <exception cref="EndOfStreamException">The file has been cut since it was opened.</exception>
    public void Read(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_bytes is not null)
        {
            _bytes.AsSpan((int)offset, destination.Length).CopyTo(destination);
            return;
        }

        while (destination.Length > 0)
        {
            var read = RandomAccess.Read(_handle!, destination, offset);
            if (read == 0)
            {
                throw new EndOfStreamException(
                    $"The model file ends at byte {offset}: it was cut while in use. Restore it and load it again.");
            }

            offset += read;
            destination = destination[read..];
        }
    }

    /// <summary>Tells the kernel that a piece of a mapped file will not be read soon; reading it again is allowed.
    /// Only Linux is told.</summary>
    public void Release(long offset, long length)
    {
        if (_view is null || !OperatingSystem.IsLinux())
        {
            return;
        }

        var pageStart = (nint)Pointer(offset) & -Environment.SystemPageSize;
        _ = Advise(pageStart, (nuint)((nint)Pointer(offset + length) - pageStart), DontNeed);
    }

    public void Dispose()
    {
        if (IsDisposed)
        {
            return;
        }

        IsDisposed = true;
        if (_view is not null)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file!.Dispose();
        }

        _handle?.Dispose();

        if (_pin.IsAllocated)
        {
            _pin.Free();
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
