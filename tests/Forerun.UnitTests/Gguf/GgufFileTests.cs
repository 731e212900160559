using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

public class GgufFileTests
{
    private const string Start = "\"test.gguf\" cannot be read as GGUF: ";

    [Fact]
    public void Open_BundledTarget_ListsKeysAndTensors()
    {
        using var file = GgufFile.Open(Assets.Target);
        Assert.Equal(3, file.Version);
        Assert.Equal(272, file.Tensors.Count);
        Assert.Equal(33, file.Metadata.Keys.Count);
        var tensor = file.Tensor("blk.29.ffn_down.weight");
        Assert.Equal(GgufTensorType.Q4_1, tensor.Type);
        Assert.Equal([576, 1536], tensor.Shape);
        Assert.Equal("[576, 1536]", tensor.ShapeText);
        Assert.Equal(1536 / 32 * 20, tensor.RowBytes);
        Assert.Equal(576 * tensor.RowBytes, tensor.ByteLength);
    }

    [Fact]
    public void Row_EveryRow_IsThatPieceOfTheTensor()
    {
        using var file = GgufFile.Open(Assets.Tiny("smollm-gqa-tied-q4_1"));
        var tensor = file.Tensor("blk.1.attn_k.weight");
        for (var row = 0; row < tensor.RowCount; row++)
        {
            var expected = file.Bytes(tensor).Slice((int)(row * tensor.RowBytes), (int)tensor.RowBytes);
            Assert.True(expected.SequenceEqual(file.Row(tensor, row)));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Row(tensor, tensor.RowCount));
    }

    [Fact]
    public void Release_ThenRead_GivesTheSameBytes()
    {
        using var file = GgufFile.Open(Assets.Tiny("smollm-gqa-tied-q4_1"));
        foreach (var tensor in file.Tensors.Values)
        {
            var before = file.Bytes(tensor).ToArray();
            file.Release(tensor);
            Assert.True(file.Bytes(tensor).SequenceEqual(before));
        }
    }

    [Fact]
    public void Bytes_AfterDispose_Throws()
    {
        var file = GgufBuilder.Llama().Open();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Bytes(file.Tensor("output_norm.weight")));
    }

    [Fact]
    public void Open_EveryTruncation_IsRefused()
    {
        var whole = GgufBuilder.Llama().Build();
        for (var length = 0; length < whole.Length; length += length < 2048 ? 1 : 97)
        {
            Assert.Throws<InvalidDataException>(() => GgufFile.FromBytes(whole[..length], "test.gguf"));
        }
    }

    [Fact]
    public void Open_EmptyFile_IsRefused()
    {
        var path = Path.GetTempFileName();
        try
        {
            Assert.Throws<InvalidDataException>(() => GgufFile.Open(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static TheoryData<GgufBuilder, string> Damaged => new()
    {
        { new() { Magic = 0x12345678 }, "it starts with 0x12345678; expected 0x46554747 (\"GGUF\")." },
        { new() { Version = 1 }, "it has version 1; expected 2 or 3. Convert the model again." },
        { new() { Version = 4 }, "it has version 4; expected 2 or 3." },
        {
            new() { Version = 0x0300_0000 },
            "it is big endian; expected little endian. Convert the model for little-endian machines."
        },
        {
            new() { TensorCount = ulong.MaxValue },
            "the tensor count is 18446744073709551615, but only 16 bytes follow. The file is damaged or cut off."
        },
        { new GgufBuilder().Add("a", 1).Add("a", 2), "key \"a\" occurs twice." },
        { new GgufBuilder().Add("", 1), "key 0 has 0 bytes; expected 1 to 65535." },
        { new GgufBuilder().Tensor("t", 1).Tensor("t", 1), "tensor \"t\" occurs twice." },
        { new GgufBuilder().Tensor("t", 0), "tensor \"t\" has a dimension of 0, which is impossible." },
        {
            new GgufBuilder().Tensor("t", 1UL << 40, 1UL << 40),
            "tensor \"t\" has a dimension of 1099511627776, which is impossible."
        },
        { new GgufBuilder().Tensor("t"), "tensor \"t\" has 0 dimensions; expected 1 to 4." },
        { new GgufBuilder().Tensor("t", 1, 1, 1, 1, 1), "tensor \"t\" has 5 dimensions; expected 1 to 4." },
        { new GgufBuilder().Tensor("t", (GgufTensorType)4, null, 1), "tensor \"t\" has the unknown type 4." },
        {
            new GgufBuilder().Tensor("t", GgufTensorType.Q8_0, null, 33),
            "tensor \"t\" has rows of 33 elements; type Q8_0 needs a multiple of 32."
        },
        {
            new GgufBuilder().Tensor("t", GgufTensorType.Q4_K, null, 288),
            "tensor \"t\" has rows of 288 elements; type Q4_K needs a multiple of 256."
        },
        { new GgufBuilder().Tensor("t", GgufTensorType.F32, 4, 1), "tensor \"t\" starts at 4, no multiple of 32." },
        {
            new GgufBuilder().Tensor("t", GgufTensorType.F32, 1UL << 63, 1),
            "tensor \"t\" starts at 9223372036854775808, beyond the end of the file."
        },
        {
            new GgufBuilder().Tensor("t", GgufTensorType.F32, 64, 1),
            "tensor \"t\" needs bytes 128 to 132, but the file ends at byte 96. It is cut off or damaged; "
            + "fetch it again."
        },
        {
            new GgufBuilder().Add("general.alignment", 24u),
            "key \"general.alignment\" is 24; expected a power of two from 8 to 65536."
        },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void Open_DamagedFile_SaysWhatIsWrong(GgufBuilder builder, string message)
    {
        var error = Assert.Throws<InvalidDataException>(builder.Open);
        Assert.Equal(Start + message, error.Message);
    }
}
