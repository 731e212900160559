using System.Buffers.Binary;
using System.Text;
using Forerun.Inference.Safetensors;

namespace Forerun.UnitTests.Exits;

public class SafetensorsTests
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "a \"text\"", ["empty"] = "" };

    [Fact]
    public void Write_ThenRead_GivesTheSameTensorsAndTexts()
    {
        var file = SafetensorsFile.FromBytes(Bytes(), "x");
        Assert.Equal(Metadata, file.Metadata);
        Assert.Equal([1f, -2f, 3.5f, 0f, 5f, 6f], file.Tensor("a", SafetensorsType.F32, 2, 3).ToFloats());
        Assert.Equal([0.5f, -1f], file.Tensor("b", SafetensorsType.F16, -1).ToFloats());
        Assert.Equal([7, -8], file.Tensor("c", SafetensorsType.I32, 2).Values<int>().ToArray());
        Assert.Equal(Bytes(), Bytes());
    }

    [Fact]
    public void Write_ToAPath_LeavesNoPartBehind()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        SafetensorsWriter.Write(path, Metadata, [SafetensorsTensor.Of("a", [1], [1f])]);
        Assert.Equal([1f], SafetensorsFile.Open(path).Tensor("a", SafetensorsType.F32, 1).ToFloats());
        Assert.False(File.Exists(path + ".part"));
        File.Delete(path);
    }

    [Theory]
    [InlineData("", "it has 0 bytes, a safetensors file has at least 8")]
    [InlineData("{}", "its header claims")]
    public void FromBytes_NoHeader_IsRefused(string text, string problem)
    {
        var bytes = text.Length == 0 ? [] : Encoding.ASCII.GetBytes("\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0001" + text);
        Assert.Contains(problem, Refusal(bytes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "its header is not a JSON object")]
    [InlineData("{", "its header is not JSON")]
    [InlineData("{\"a\":1}", "its header is not a safetensors header")]
    [InlineData("{\"a\":{}}", "its header is not a safetensors header")]
    [InlineData("{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", "tensor \"a\" has type \"F64\"; known are F32, F16, I32")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "tensor \"a\" of shape [2] lies at bytes 0 to 4 of 8")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,8]}}", "tensor \"a\" of shape [-1] lies")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}", "tensor \"a\" of shape [3] lies")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[65536,65536,65536,65536,65536],\"data_offsets\":[0,8]}}", "tensor \"a\" of shape")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "the tensors take 4 bytes, the file has 8")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "tensor \"a\" starts at byte 4, expected 0")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}}", "3 offsets")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", "its header is not a safetensors header")]
    public void FromBytes_WrongHeader_IsRefused(string header, string problem)
    {
        byte[] bytes = [.. new byte[8], .. Encoding.UTF8.GetBytes(header), .. new byte[8]];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        Assert.Contains(problem, Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Tensor_OtherShapeOrMissing_IsRefused()
    {
        var file = SafetensorsFile.FromBytes(Bytes(), "x");
        Assert.Equal(
            "\"x\" cannot be used: tensor \"a\" is F32 [2, 3], expected F16 [any, 4]. Get or make the file again.",
            Assert.Throws<InvalidDataException>(() => file.Tensor("a", SafetensorsType.F16, -1, 4)).Message);
        Assert.Contains(
            "tensor \"z\" is missing",
            Assert.Throws<InvalidDataException>(() => file.Tensor("z", SafetensorsType.F16, 1)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "metadata \"z\" is missing",
            Assert.Throws<InvalidDataException>(() => file.Text("z")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void FromBytes_MutatedFile_ReadsOrIsRefused()
    {
        var original = Bytes();
        var refused = 0;
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var bytes = original[..(seed % 5 == 0 ? random.Next(original.Length) : original.Length)];
            for (var i = 0; i < 1 + (seed % 3) && bytes.Length > 0; i++)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Record.Exception(() => SafetensorsFile.FromBytes(bytes, "x"));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
            Assert.True(error is null or InvalidDataException, $"Seed {seed}: {error}");
            refused += error is null ? 0 : 1;
        }

        Assert.InRange(refused, 500, 1_999);
    }

    private static byte[] Bytes()
    {
        using var stream = new MemoryStream();
        SafetensorsWriter.Write(stream, Metadata,
        [
            SafetensorsTensor.Of("a", [2, 3], [1f, -2f, 3.5f, 0f, 5f, 6f]),
            SafetensorsTensor.Of("b", [2], [(Half)0.5f, (Half)(-1f)]),
            SafetensorsTensor.Of("c", [2], [7, -8]),
        ]);
        return stream.ToArray();
    }

    private static string Refusal(byte[] bytes) =>
        Assert.Throws<InvalidDataException>(() => SafetensorsFile.FromBytes(bytes, "x")).Message;
}
