using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Forerun.UnitTests.Gguf;

/// <summary>Reads reference values: a safetensors file, wholly in memory.</summary>
public sealed class SafeTensors
{
    private readonly byte[] _bytes;
    private readonly JsonElement _head;
    private readonly int _dataStart;

    private SafeTensors(string path)
    {
        _bytes = File.ReadAllBytes(path);
        _dataStart = sizeof(ulong) + (int)BinaryPrimitives.ReadUInt64LittleEndian(_bytes);
        _head = JsonElement.Parse(_bytes.AsSpan(sizeof(ulong), _dataStart - sizeof(ulong)));
    }

    public static SafeTensors Open(string path) => new(path);

    /// <summary>The tensors' names.</summary>
    public IEnumerable<string> Names =>
        _head.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__");

    /// <summary>A text of the metadata.</summary>
    public string Metadata(string key) => _head.GetProperty("__metadata__").GetProperty(key).GetString()!;

    /// <summary>A tensor's dimensions, outermost first.</summary>
    public int[] Shape(string name) =>
        [.. _head.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    /// <summary>A tensor's elements, row-major; <typeparamref name="T"/> must be the stored type.</summary>
    public ReadOnlySpan<T> Values<T>(string name)
        where T : unmanaged
    {
        var range = _head.GetProperty(name).GetProperty("data_offsets");
        var (start, end) = (range[0].GetInt32(), range[1].GetInt32());
        return MemoryMarshal.Cast<byte, T>(_bytes.AsSpan(_dataStart + start, end - start));
    }
}
