namespace Forerun.Inference.Gguf;

/// <summary>The type of a metadata value, by its number in the file.</summary>
internal enum GgufValueType
{
    UInt8 = 0,
    Int8 = 1,
    UInt16 = 2,
    Int16 = 3,
    UInt32 = 4,
    Int32 = 5,
    Float32 = 6,
    Bool = 7,
    String = 8,
    Array = 9,
    UInt64 = 10,
    Int64 = 11,
    Float64 = 12,
}

/// <summary>Sizes of metadata values.</summary>
internal static class GgufValueTypes
{
    /// <summary>Bytes of a value; 0 for strings and arrays, whose size varies.</summary>
    public static int Bytes(this GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => 0,
    };
}

/// <summary>Where a metadata value lies in the file; the reader has checked that it lies there wholly.</summary>
/// <param name="Type">The value's type.</param>
/// <param name="ElementType">The type of an array's elements; otherwise the same as <paramref name="Type"/>.</param>
/// <param name="Count">Number of an array's elements; otherwise 1.</param>
/// <param name="Offset">Offset of the value, or of an array's first element.</param>
/// <param name="Length">Bytes of the value, or of all elements of an array.</param>
internal readonly record struct GgufValue(
    GgufValueType Type, GgufValueType ElementType, int Count, long Offset, long Length)
{
    /// <summary>The type as a reader would name it, such as <c>Array of Int32</c>.</summary>
    public string TypeText => Type == GgufValueType.Array ? $"Array of {ElementType}" : $"{Type}";
}
