using System.Buffers.Binary;

namespace Forerun.Inference.Gguf;

/// <summary>Turns stored elements into floats, exactly as the format defines them. Plain code: for loading, embedding
/// rows and as the reference of the kernels. Thread-safe.</summary>
public static class TensorDecoder
{
    private const int BlockSize = 32;

    /// <summary>The types that can be decoded.</summary>
    public static IReadOnlyList<GgufTensorType> Supported { get; } =
    [
        GgufTensorType.F32, GgufTensorType.F16, GgufTensorType.BF16,
        GgufTensorType.Q8_0, GgufTensorType.Q4_0, GgufTensorType.Q4_1,
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
            case GgufTensorType.Q8_0:
                DecodeQ8_0(source, destination);
                break;
            case GgufTensorType.Q4_0:
                DecodeQ4_0(source, destination);
                break;
            default:
                DecodeQ4_1(source, destination);
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
            destination[i] = ReadHalf(source[(2 * i)..]);
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

    /// <summary>Block: scale d (16-bit float), 32 signed bytes q. Value: d · q.</summary>
    private static void DecodeQ8_0(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; !destination.IsEmpty; source = source[34..], destination = destination[BlockSize..])
        {
            var scale = ReadHalf(source);
            for (var i = 0; i < BlockSize; i++)
            {
                destination[i] = scale * (sbyte)source[2 + i];
            }
        }
    }

    /// <summary>Block: scale d (16-bit float), 16 bytes whose low nibbles q are elements 0 to 15 and high nibbles
    /// elements 16 to 31. Value: d · (q - 8).</summary>
    private static void DecodeQ4_0(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; !destination.IsEmpty; source = source[18..], destination = destination[BlockSize..])
        {
            var scale = ReadHalf(source);
            for (var i = 0; i < BlockSize / 2; i++)
            {
                var pair = source[2 + i];
                destination[i] = scale * ((pair & 0x0F) - 8);
                destination[i + (BlockSize / 2)] = scale * ((pair >> 4) - 8);
            }
        }
    }

    /// <summary>Block: scale d and minimum m (16-bit floats), 16 bytes of nibbles q as in Q4_0. Value: d · q + m, the
    /// product rounded before the sum.</summary>
    private static void DecodeQ4_1(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (; !destination.IsEmpty; source = source[20..], destination = destination[BlockSize..])
        {
            var (scale, minimum) = (ReadHalf(source), ReadHalf(source[2..]));
            for (var i = 0; i < BlockSize / 2; i++)
            {
                var pair = source[4 + i];
                destination[i] = (scale * (pair & 0x0F)) + minimum;
                destination[i + (BlockSize / 2)] = (scale * (pair >> 4)) + minimum;
            }
        }
    }

    private static float ReadHalf(ReadOnlySpan<byte> source) => (float)BinaryPrimitives.ReadHalfLittleEndian(source);
}
