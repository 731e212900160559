using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Forerun.Inference.Safetensors;

/// <summary>Writes safetensors files. The same content gives the same bytes.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes a file whole or not at all: under another name first, then renamed.</summary>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, string>> metadata, IReadOnlyCollection<SafetensorsTensor> tensors)
    {
        var part = path + ".part";
        using (var stream = File.Create(part))
        {
            Write(stream, metadata, tensors);
        }

        File.Move(part, path, overwrite: true);
    }

    /// <summary>Writes to a stream.</summary>
    public static void Write(
        Stream stream, IEnumerable<KeyValuePair<string, string>> metadata, IReadOnlyCollection<SafetensorsTensor> tensors)
    {
        var header = Header(metadata, tensors);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var tensor in tensors)
        {
            stream.Write(tensor.Bytes.Span);
        }
    }

    private static byte[] Header(
        IEnumerable<KeyValuePair<string, string>> metadata, IEnumerable<SafetensorsTensor> tensors)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, text) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, text);
            }

            json.WriteEndObject();
            var start = 0L;
            foreach (var tensor in tensors)
            {
                WriteEntry(json, tensor, start);
                start += tensor.Bytes.Length;
            }

            json.WriteEndObject();
        }

        // Spaces behind the header bring the data to a multiple of eight.
        var padding = (8 - (buffer.WrittenCount % 8)) % 8;
        return [.. buffer.WrittenSpan, .. Encoding.ASCII.GetBytes(new string(' ', padding))];
    }

    private static void WriteEntry(Utf8JsonWriter json, SafetensorsTensor tensor, long start)
    {
        json.WriteStartObject(tensor.Name);
        json.WriteString("dtype", tensor.Type.ToString());
        json.WriteStartArray("shape");
        Array.ForEach(tensor.Shape, json.WriteNumberValue);
        json.WriteEndArray();
        json.WriteStartArray("data_offsets");
        json.WriteNumberValue(start);
        json.WriteNumberValue(start + tensor.Bytes.Length);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
