using System.Runtime.InteropServices;
using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

public class TensorDecoderTests
{
    private static readonly SafeTensors Golden =
        SafeTensors.Open(Repository.Path("tests", "assets", "quants.safetensors"));

    [Theory]
    [InlineData(GgufTensorType.Q8_0)]
    [InlineData(GgufTensorType.Q4_0)]
    [InlineData(GgufTensorType.Q4_1)]
    [InlineData(GgufTensorType.Q5_0)]
    [InlineData(GgufTensorType.Q5_1)]
    [InlineData(GgufTensorType.Q2_K)]
    [InlineData(GgufTensorType.Q3_K)]
    [InlineData(GgufTensorType.Q4_K)]
    [InlineData(GgufTensorType.Q5_K)]
    [InlineData(GgufTensorType.Q6_K)]
    public void DecodeRow_RandomBlocks_GivesTheReferenceBits(GgufTensorType type)
    {
        var expected = Golden.Values<float>($"{type}.values");
        var actual = new float[expected.Length];
        TensorDecoder.DecodeRow(type, Golden.Values<byte>($"{type}.raw"), actual);
        Assert.Equal(MemoryMarshal.Cast<float, int>(expected), MemoryMarshal.Cast<float, int>(actual));
    }

    [Theory]
    [InlineData("f16")]
    [InlineData("bf16")]
    [InlineData("q8_0")]
    [InlineData("q4_0")]
    [InlineData("q4_1")]
    [InlineData("q5_0")]
    [InlineData("q5_1")]
    public void DecodeRow_EmbeddingOfATinyModel_GivesTheReferenceBits(string type)
    {
        var folder = $"smollm-gqa-tied-{type}";
        var golden = SafeTensors.Open(Repository.Path("tests", "assets", "tiny", folder, "golden.safetensors"));
        using var file = GgufFile.Open(Assets.Tiny(folder));
        var embedding = file.Tensor("token_embd.weight");
        var ids = golden.Values<int>("0.ids");
        var row = new float[embedding.RowLength];
        for (var i = 0; i < ids.Length; i++)
        {
            TensorDecoder.DecodeRow(embedding.Type, file.Row(embedding, ids[i]), row);
            Assert.Equal(golden.Values<float>("0.hidden.0").Slice(i * row.Length, row.Length), row);
        }
    }

    [Fact]
    public void DecodeRow_PlainNumbers_AreExact()
    {
        float[] values = [0, -0f, 1, -2.5f, float.PositiveInfinity, 6.1035156e-5f, 5.9604645e-8f];
        var decoded = new float[values.Length];

        TensorDecoder.DecodeRow(GgufTensorType.F32, MemoryMarshal.AsBytes<float>(values), decoded);
        Assert.Equal(values, decoded);

        var halves = Array.ConvertAll(values, value => (Half)value);
        TensorDecoder.DecodeRow(GgufTensorType.F16, MemoryMarshal.AsBytes<Half>(halves), decoded);
        Assert.Equal(values, decoded);

        var upperHalves = Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16));
        TensorDecoder.DecodeRow(GgufTensorType.BF16, MemoryMarshal.AsBytes<ushort>(upperHalves), decoded);
        Assert.Equal(values, decoded);
    }

    [Fact]
    public void DecodeRow_UnsupportedType_IsRefusedByName()
    {
        var error = Assert.Throws<InvalidDataException>(
            () => TensorDecoder.DecodeRow(GgufTensorType.IQ4_XS, new byte[136], new float[256]));
        Assert.Equal(
            "The type of a tensor is IQ4_XS, which is not supported. Supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, "
            + "Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K. Convert the model to one of them.",
            error.Message);
    }

    [Theory]
    [InlineData(GgufTensorType.Q8_0, 34, 31)]
    [InlineData(GgufTensorType.Q8_0, 33, 32)]
    [InlineData(GgufTensorType.F16, 5, 2)]
    [InlineData(GgufTensorType.Q4_K, 144, 128)]
    [InlineData(GgufTensorType.Q6_K, 209, 256)]
    public void DecodeRow_LengthsDoNotFit_Throws(GgufTensorType type, int bytes, int elements) =>
        Assert.Throws<ArgumentException>(() => TensorDecoder.DecodeRow(type, new byte[bytes], new float[elements]));
}
