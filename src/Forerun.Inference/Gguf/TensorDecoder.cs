using System.Buffers.Binary;

namespace Forerun.Inference.Gguf;

/// <summary>Turns stored elements into floats, exactly as the format defines them. Plain code: for loading, embedding
/// rows and as the reference of the kernels. Thread-safe.</summary>
public static class TensorDecoder
{
    private delegate void BlockDecoder(ReadOnlySpan<byte> block, Span<float> values);

    /// <summary>The types that can be decoded.</summary>
    public static IReadOnlyList<GgufTensorType> Supported { get; } =
    [
        GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16,
        GgufTensorType.Q8_0, GgufTensorType.Q4_0, GgufTensorType.Q4_1, GgufTensorType.Q5_0, GgufTensorType.Q5_1,
        GgufTensorType.Q2_K, GgufTensorType.Q3_K, GgufTensorType.Q4_K, GgufTensorType.Q5_K, GgufTensorType.Q6_K,
    ];

    /// <summary>Decodes one row, or any run of whole blocks.</summary>
    /// <param name="type">How the elements are stored.</param>
    /// <param name="source">The stored blocks, exactly as many as <paramref name="destination"/> needs.</param>
    /// <param name="destination">Receives the elements, <c>[elements]</c>, a multiple of the block's elements.</param>
    /// <exception cref="InvalidDataException">The type is not supported.</exception>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    public static void DecodeRow(GgufTensorType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        ThrowIfUnsupported(type, "a tensor");
        ThrowIfLengthsDiffer(type, source, destination);
        switch (type)
        {
            case GgufTensorType.F32:
                DecodeF32(source, destination);
                break;
            case GgufTensorType.F16:
                DecodeF16(source, destination);
                break;
            case GgufTensorType.BF16:
                DecodeBF16(source, destination);
                break;
            default:
                DecodeBlocks(type, source, destination);
                break;
        }
    }

    /// <summary>Refuses a tensor whose type cannot be decoded.</summary>
    /// <exception cref="InvalidDataException">The type is not supported.</exception>
    public static void ThrowIfUnsupported(GgufTensor tensor) =>
        ThrowIfUnsupported(tensor.Type, $"tensor \"{tensor.Name}\"");

    private static void ThrowIfUnsupported(GgufTensorType type, string what)
    {
        if (!Supported.Contains(type))
        {
            throw new InvalidDataException($"The type of {what} is {type}, which is not supported. Supported are "
                + $"{string.Join(", ", Supported)}. Convert the model to one of them.");
        }
    }

    private static void ThrowIfLengthsDiffer(GgufTensorType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        var format = BlockFormat.Of(type);
        var (blocks, rest) = Math.DivRem(destination.Length, format.Elements);
        if (rest != 0 || source.Length != (long)blocks * format.Bytes)
        {
            throw new ArgumentException($"{destination.Length} elements of type {type} (blocks of {format.Elements} "
                + $"elements in {format.Bytes} bytes) cannot come from {source.Length} bytes.", nameof(source));
        }
    }

    private static void DecodeF32(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = BinaryPrimitives.ReadSingleLittleEndian(source[(4 * i)..]);
        }
    }

    private static void DecodeF16(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
        }
    }

    private static void DecodeBF16(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            var upper = BinaryPrimitives.ReadUInt16LittleEndian(source[(2 * i)..]);
            destination[i] = BitConverter.UInt32BitsToSingle((uint)upper << 16);
        }
    }

    private static void DecodeBlocks(GgufTensorType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        BlockDecoder decode = type switch
        {
            GgufTensorType.Q8_0 => SmallBlocks.DecodeQ8_0,
            GgufTensorType.Q4_0 => SmallBlocks.DecodeQ4_0,
            GgufTensorType.Q4_1 => SmallBlocks.DecodeQ4_1,
            GgufTensorType.Q5_0 => SmallBlocks.DecodeQ5_0,
            GgufTensorType.Q5_1 => SmallBlocks.DecodeQ5_1,
            GgufTensorType.Q2_K => SuperBlocks.DecodeQ2_K,
            GgufTensorType.Q3_K => SuperBlocks.DecodeQ3_K,
            GgufTensorType.Q4_K => SuperBlocks.DecodeQ4_K,
            GgufTensorType.Q5_K => SuperBlocks.DecodeQ5_K,
            _ => SuperBlocks.DecodeQ6_K,
        };
        var format = BlockFormat.Of(type);
        for (; !destination.IsEmpty; destination = destination[format.Elements..])
        {
            decode(source[..format.Bytes], destination[..format.Elements]);
            source = source[format.Bytes..];
        }
    }
}
