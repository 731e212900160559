using Forerun.Inference.Gguf;

namespace Forerun.UnitTests.Gguf;

public class GgufMetadataTests
{
    private const string Start = "\"test.gguf\" cannot be used: ";

    [Fact]
    public void GetInt32_AnyWidth_ReadsTheNumber()
    {
        object[] values = [(byte)200, (ushort)40_000, 7u, -7, 8UL, -8L];
        int[] expected = [200, 40_000, 7, -7, 8, -8];
        Assert.Equal(expected, values.Select(value => Metadata(value).GetInt32("k")));
    }

    [Fact]
    public void Find_EveryType_ReadsTheValue()
    {
        Assert.Equal("é", Metadata("é").FindString("k"));
        Assert.Equal(0.5f, Metadata(0.5f).FindSingle("k"));
        Assert.Equal(0.25f, Metadata(0.25).FindSingle("k"));
        Assert.True(Metadata(true).FindBoolean("k"));
        Assert.Equal([1, -2], Metadata(new[] { 1, -2 }).FindInt32Array("k")!.Value);
        Assert.Equal(["a", "", "é"], Metadata(new[] { "a", "", "é" }).GetStrings("k").ToImmutableArray());
    }

    [Fact]
    public void Find_MissingKey_IsNull()
    {
        var metadata = Metadata(1);
        Assert.Null(metadata.FindString("x"));
        Assert.Null(metadata.FindInt32("x"));
        Assert.Null(metadata.FindSingle("x"));
        Assert.Null(metadata.FindBoolean("x"));
        Assert.Null(metadata.FindInt32Array("x"));
        Assert.Null(metadata.FindStrings("x"));
    }

    [Fact]
    public void Get_MissingKey_NamesFileAndKey() =>
        Says("key \"x\" is missing.", 1, metadata => metadata.GetString("x"));

    [Fact]
    public void Get_WrongType_NamesExpectedAndFound()
    {
        Says("key \"k\" must be a String, but it is Int32.", 1, metadata => metadata.GetString("k"));
        Says("key \"k\" must be a whole number, but it is String.", "a", metadata => metadata.GetInt32("k"));
        Says("key \"k\" must be a real number, but it is Bool.", true, metadata => metadata.GetSingle("k"));
        Says("key \"k\" must be a Bool, but it is Array of Int32.", new[] { 1 }, metadata => metadata.FindBoolean("k"));
        Says(
            "key \"k\" must be an array of strings, but it is Array of Int32.",
            new[] { 1 },
            metadata => metadata.GetStrings("k"));
        Says(
            "key \"k\" must be an array of Int32, but it is Array of String.",
            new[] { "a" },
            metadata => metadata.FindInt32Array("k"));
    }

    [Fact]
    public void Get_ValueOutOfRange_NamesIt()
    {
        Says(
            "key \"k\" is 4294967295; expected -2147483648 to 2147483647.",
            uint.MaxValue,
            metadata => metadata.GetInt32("k"));
    }

    private static GgufMetadata Metadata(object value) => new GgufBuilder().Add("k", value).Open().Metadata;

    private static void Says(string message, object value, Func<GgufMetadata, object?> read)
    {
        var error = Assert.Throws<InvalidDataException>(() => read(Metadata(value)));
        Assert.Equal(Start + message, error.Message);
    }
}
