using System.Runtime.InteropServices;

namespace Forerun.Inference.Safetensors;

/// <summary>A named array, row-major, little-endian. Immutable as long as nobody writes to its bytes.</summary>
/// <param name="Name">Unique in its file.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes, outermost first.</param>
/// <param name="Bytes">The elements.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, int[] Shape, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Bytes of an element.</summary>
    public static int SizeOf(SafetensorsType type) => type == SafetensorsType.F16 ? 2 : 4;

    /// <summary>A tensor of single-precision floats.</summary>
    public static SafetensorsTensor Of(string name, int[] shape, ReadOnlySpan<float> values) =>
        new(name, SafetensorsType.F32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of half-precision floats.</summary>
    public static SafetensorsTensor Of(string name, int[] shape, ReadOnlySpan<Half> values) =>
        new(name, SafetensorsType.F16, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>A tensor of integers.</summary>
    public static SafetensorsTensor Of(string name, int[] shape, ReadOnlySpan<int> values) =>
        new(name, SafetensorsType.I32, shape, MemoryMarshal.AsBytes(values).ToArray());

    /// <summary>The elements as they are stored; <typeparamref name="T"/> must be the stored type.</summary>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes.Span);

    /// <summary>The elements as single-precision floats.</summary>
    public float[] ToFloats() => Type switch
    {
        SafetensorsType.F16 => Array.ConvertAll(Values<Half>().ToArray(), half => (float)half),
        SafetensorsType.F32 => Values<float>().ToArray(),
        _ => Array.ConvertAll(Values<int>().ToArray(), number => (float)number),
    };
}
