using System.Collections.Immutable;
using System.Numerics;

namespace Forerun.Inference.Gguf;

/// <summary>Reads the tensors' entries, the last part of a GGUF file's head.</summary>
internal static class GgufTensorTable
{
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 65_536;
    private const int MaxDimensions = 4;

    /// <summary>Reads all entries; every tensor lies wholly inside the file.</summary>
    /// <param name="cursor">Stands at the first entry.</param>
    /// <param name="count">Number of entries.</param>
    /// <param name="alignment">What tensor offsets are multiples of, in bytes; null = 32.</param>
    /// <param name="shard">Which shard of the model the file is, from 0.</param>
    public static Dictionary<string, GgufTensor> Read(GgufCursor cursor, int count, int? alignment, int shard)
    {
        var alignmentBytes = CheckAlignment(cursor, alignment ?? DefaultAlignment);
        var entries = new List<GgufTensor>();
        for (var i = 0; i < count; i++)
        {
            entries.Add(ReadEntry(cursor, i));
        }

        var dataStart = (cursor.Position + alignmentBytes - 1) / alignmentBytes * alignmentBytes;
        var tensors = new Dictionary<string, GgufTensor>(count);
        foreach (var entry in entries)
        {
            if (!tensors.TryAdd(entry.Name, Locate(cursor, entry, dataStart, alignmentBytes, shard)))
            {
                throw cursor.Invalid($"tensor \"{entry.Name}\" occurs twice.");
            }
        }

        return tensors;
    }

    private static int CheckAlignment(GgufCursor cursor, int alignment) =>
        alignment is >= 8 and <= MaxAlignment && BitOperations.IsPow2(alignment)
            ? alignment
            : throw cursor.Invalid(
                $"key \"general.alignment\" is {alignment}; expected a power of two from 8 to {MaxAlignment}.");

    private static GgufTensor ReadEntry(GgufCursor cursor, int index)
    {
        var name = cursor.ReadName($"tensor name {index}");
        var shape = ReadShape(cursor, name);
        var type = (GgufTensorType)cursor.ReadUInt32($"the type of tensor \"{name}\"");
        if (!Enum.IsDefined(type))
        {
            throw cursor.Invalid($"tensor \"{name}\" has the unknown type {(uint)type}.");
        }

        var block = BlockFormat.Of(type).Elements;
        if (shape[^1] % block != 0)
        {
            throw cursor.Invalid(
                $"tensor \"{name}\" has rows of {shape[^1]} elements; type {type} needs a multiple of {block}.");
        }

        var offset = cursor.ReadUInt64($"the offset of tensor \"{name}\"");
        return offset <= long.MaxValue / 8
            ? new GgufTensor(name, type, shape, (long)offset)
            : throw cursor.Invalid($"tensor \"{name}\" starts at {offset}, beyond the end of the file.");
    }

    private static ImmutableArray<long> ReadShape(GgufCursor cursor, string name)
    {
        var dimensions = cursor.ReadUInt32($"the dimensions of tensor \"{name}\"");
        if (dimensions is 0 or > MaxDimensions)
        {
            throw cursor.Invalid($"tensor \"{name}\" has {dimensions} dimensions; expected 1 to {MaxDimensions}.");
        }

        var shape = new long[dimensions];
        Int128 elements = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            var size = cursor.ReadUInt64($"a dimension of tensor \"{name}\"");
            elements *= size;
            if (size == 0 || elements > long.MaxValue / 16)
            {
                throw cursor.Invalid($"tensor \"{name}\" has a dimension of {size}, which is impossible.");
            }

            shape[i] = (long)size;
        }

        return [.. shape];
    }

    private static GgufTensor Locate(GgufCursor cursor, GgufTensor entry, long dataStart, int alignment, int shard)
    {
        if (entry.Offset % alignment != 0)
        {
            throw cursor.Invalid($"tensor \"{entry.Name}\" starts at {entry.Offset}, no multiple of {alignment}.");
        }

        var start = dataStart + entry.Offset;
        return start <= cursor.Length && entry.ByteLength <= cursor.Length - start
            ? new GgufTensor(entry.Name, entry.Type, entry.Shape, start, shard)
            : throw cursor.Invalid($"tensor \"{entry.Name}\" needs bytes {start} to {start + entry.ByteLength}, but "
                + $"the file ends at byte {cursor.Length}. It is cut off or damaged; fetch it again.");
    }
}
