using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class TextStreamTests
{
    private static readonly Tokenizer Tokenizer = Load();

    /// <summary>The token of each byte.</summary>
    private static readonly ImmutableArray<int> ByteTokens =
    [
        .. Enumerable.Range(0, 256).Select(value => Enumerable.Range(0, Tokenizer.VocabSize)
            .First(token => Tokenizer.TokenBytes(token).SequenceEqual([(byte)value]))),
    ];

    [Fact]
    public void Append_RandomTokens_AddsUpToDecode() =>
        Gen.Int[0, Tokenizer.VocabSize - 1].Array[0, 50].Sample(AssertAddsUp);

    [Fact]
    public void Append_RandomBytes_AddsUpToDecode()
    {
        var likelyInvalid = Gen.OneOf<byte>(Gen.Byte, Gen.Byte[0x80, 0xBF], Gen.Byte[0xC0, 0xFF], Gen.Byte[0x20, 0x7E]);
        likelyInvalid.Array[0, 30].Sample(bytes => AssertAddsUp(Array.ConvertAll(bytes, value => ByteTokens[value])));
    }

    [Fact]
    public void Append_CharacterInPieces_AppearsWhenWhole()
    {
        var stream = new TextStream(Tokenizer);
        var texts = Encoding.UTF8.GetBytes("é😀").Select(value => stream.Append(ByteTokens[value]));
        Assert.Equal(["", "é", "", "", "", "😀"], texts);
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Flush_HalfACharacter_IsReplaced()
    {
        var stream = new TextStream(Tokenizer);
        Assert.Equal("", stream.Append(ByteTokens[0xF0]));
        Assert.Equal("\uFFFD", stream.Flush());
        Assert.Equal("", stream.Flush());
    }

    [Fact]
    public void Append_ControlToken_IsShownOnlyWhenAsked()
    {
        var end = Tokenizer.EndTokens[0];
        Assert.Equal("", new TextStream(Tokenizer).Append(end));
        Assert.Equal("<|im_end|>", new TextStream(Tokenizer, showControlTokens: true).Append(end));
    }

    private static void AssertAddsUp(int[] tokens)
    {
        var stream = new TextStream(Tokenizer, showControlTokens: true);
        var text = string.Concat(tokens.Select(stream.Append)) + stream.Flush();
        Assert.Equal(Tokenizer.Decode(tokens), text);
    }

    private static Tokenizer Load()
    {
        using var file = GgufFile.Open(Assets.Tiny("smollm-gqa-tied-q4_1"));
        return Tokenizer.From(file);
    }
}
