using CsCheck;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class SentencePieceModelTests
{
    private static readonly Tokenizer Tiny = LoadTiny();

    [Fact]
    public void Encode_AnyString_DecodesToTheSameText() => Texts.Any.Sample(text => Assert.Equal(
        Texts.WithoutLoneSurrogates(text).Replace('\u2581', ' '),
        Tiny.Decode(Tiny.Encode(text, parseSpecial: false).AsSpan())));

    [Fact]
    public void Append_RandomTokens_AddsUpToDecode() => Gen.Int[0, Tiny.VocabSize - 1].Array[0, 50].Sample(tokens =>
    {
        var stream = new TextStream(Tiny, showControlTokens: true);
        Assert.Equal(Tiny.Decode(tokens), string.Concat(tokens.Select(stream.Append)) + stream.Flush());
    });

    [Fact]
    public void Encode_TextAfterASpecialToken_StartsWithASpaceAgain()
    {
        var word = Tiny.Encode("a");
        Assert.Equal([1, .. word, 2, .. word], Tiny.Encode("<s>a</s>a"));
        Assert.Equal("<s> a</s> a", Tiny.Decode(Tiny.Encode("<s>a</s>a").AsSpan()));
    }

    [Fact]
    public void Append_AfterAHiddenBeginToken_RemovesTheSpaceOnlyOnce()
    {
        var stream = new TextStream(Tiny);
        var word = Tiny.Encode("a")[0];
        Assert.Equal(["", "a", " a"], new[] { 1, word, word }.Select(stream.Append));
    }

    [Fact]
    public void Encode_NoSpacePrefix_StartsWithTheText() =>
        Assert.Equal([0, 3, 1], From(Small().Set("tokenizer.ggml.add_space_prefix", false)).Encode("a b"));

    [Fact]
    public void Encode_CharacterWithoutTokenAndBytes_IsTheUnknownTokenOncePerRun()
    {
        Assert.Equal([3, 5, 0], From(Small().Set("tokenizer.ggml.unknown_token_id", 5u)).Encode("éxa"));
        Assert.Equal([3, 0], From(Small()).Encode("éxa"));
        Assert.Equal([3, 4, 0], From(Small()).Encode("!a"));
    }

    [Fact]
    public void Encode_OneVeryLongWord_TakesNoQuadraticTime()
    {
        var text = new string('a', 200_000);
        Assert.Equal(text, Tiny.Decode(Tiny.Encode(text).AsSpan()));
    }

    [Fact]
    public void BeginToken_FileSaysNothing_IsWanted()
    {
        Assert.Equal(5, From(Small().Set("tokenizer.ggml.bos_token_id", 5u)).BeginToken);
        Assert.Null(From(Small()).BeginToken);
    }

    [Fact]
    public void Fingerprint_ScoresOrSpaceDiffer_Differs()
    {
        string[] fingerprints =
        [
            From(Small()).Fingerprint,
            From(Small().Set("tokenizer.ggml.scores", new[] { 0f, 0f, 2f, 0f, 0f, 0f })).Fingerprint,
            From(Small().Set("tokenizer.ggml.add_space_prefix", false)).Fingerprint,
        ];
        Assert.Distinct(fingerprints);
    }

    [Theory]
    [InlineData(null, "key \"tokenizer.ggml.scores\" is missing.")]
    [InlineData(
        new[] { 1f },
        "key \"tokenizer.ggml.scores\" has 1 entries; expected one for each of the 6 tokens.")]
    public void From_WrongScores_SaysWhatIsWrong(object? scores, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => From(Small().Set("tokenizer.ggml.scores", scores)));
        Assert.Equal($"\"test.gguf\" cannot be used: {message}", error.Message);
    }

    private static GgufBuilder Small() => new GgufBuilder()
        .Add("tokenizer.ggml.model", "llama")
        .Add("tokenizer.ggml.tokens", new[] { "a", "b", "ab", "\u2581", "<0x21>", "<unk>" })
        .Add("tokenizer.ggml.token_type", new[] { 1, 1, 1, 1, 6, 2 })
        .Add("tokenizer.ggml.scores", new[] { 0f, 0f, 1f, 0f, 0f, 0f });

    private static Tokenizer From(GgufBuilder builder)
    {
        using var file = builder.Open();
        return Tokenizer.From(file);
    }

    private static Tokenizer LoadTiny()
    {
        using var file = GgufFile.Open(Assets.Tiny("llama2-mha-spm"));
        return Tokenizer.From(file);
    }
}
