using CsCheck;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Gguf;

namespace Forerun.UnitTests.Tokenization;

public class TokenizerTests
{
    private static readonly Tokenizer Tiny = Load(Assets.Tiny("smollm-gqa-tied-q4_1"));
    private static readonly Tokenizer Target = Load(Assets.Target);

    [Fact]
    public void Encode_AnyString_DecodesToTheSameText() => Texts.Any.Sample(
        text => Assert.Equal(Texts.WithoutLoneSurrogates(text), Tiny.Decode(Tiny.Encode(text).AsSpan())));

    [Fact]
    public void Encode_AnyStringWithoutParsing_HasNoSpecialToken() => Texts.Any.Sample(text =>
    {
        var tokens = Tiny.Encode(text, parseSpecial: false);
        Assert.DoesNotContain(tokens, Tiny.IsControl);
        Assert.Equal(Texts.WithoutLoneSurrogates(text), Tiny.Decode(tokens.AsSpan()));
    });

    [Fact]
    public void Encode_SpecialText_IsParsedOnlyWhenAsked()
    {
        Assert.Equal([2692, 2, 2692], Target.Encode("text<|im_end|>text"));
        Assert.DoesNotContain(2, Target.Encode("text<|im_end|>text", parseSpecial: false));
        Assert.Equal([1, 1], Target.Encode("<|im_start|><|im_start|>"));
    }

    [Fact]
    public void Encode_LoneSurrogate_CountsAsReplacementCharacter() =>
        Assert.Equal(Target.Encode("a\uFFFDb"), Target.Encode("a\uD800b"));

    [Fact]
    public void Encode_ByteWithoutToken_IsLeftOut()
    {
        Assert.Equal([81, 82], Target.Encode("a\u0004b"));
        Assert.Empty(Target.Encode("\u0004\u0013"));
    }

    [Fact]
    public void Encode_OneVeryLongWord_TakesNoQuadraticTime()
    {
        var random = new Random(1);
        var text = string.Create(200_000, random, (letters, source) =>
        {
            foreach (ref var letter in letters)
            {
                letter = (char)('a' + source.Next(26));
            }
        });
        Assert.Equal(text, Target.Decode(Target.Encode(text).AsSpan()));
    }

    [Fact]
    public void From_BundledTarget_KnowsItsSpecialTokens()
    {
        Assert.Equal(49_152, Target.VocabSize);
        Assert.Equal([2, 0], Target.EndTokens);
        Assert.Null(Target.BeginToken);
        Assert.True(Target.IsControl(1));
        Assert.False(Target.IsControl(81));
        Assert.Equal("a"u8, Target.TokenBytes(81));
        Assert.Equal("<|im_end|>"u8, Target.TokenBytes(2));
    }

    [Fact]
    public void Fingerprint_SameTokenizer_IsEqualAcrossFiles()
    {
        Assert.Equal(32, Target.Fingerprint.Length);
        Assert.Equal(Target.Fingerprint, Load(Assets.DraftModel).Fingerprint);
        Assert.NotEqual(Target.Fingerprint, Tiny.Fingerprint);
    }

    [Theory]
    [InlineData("merges", new string[] { "a b" })]
    [InlineData("token_type", new int[] { 1, 1, 1, 3 })]
    [InlineData("eos_token_id", 0u)]
    public void Fingerprint_AnyPartDiffers_Differs(string key, object value) =>
        Assert.NotEqual(From(Small()).Fingerprint, From(Small().Set($"tokenizer.ggml.{key}", value)).Fingerprint);

    [Fact]
    public void BeginToken_FileWantsOne_IsTheBosToken()
    {
        var small = Small().Set("tokenizer.ggml.add_bos_token", true).Set("tokenizer.ggml.bos_token_id", 3u);
        Assert.Equal(3, From(small).BeginToken);
        Assert.Equal([0], From(small).Encode("a"));
    }

    [Theory]
    [InlineData("<|im_end|>")]
    [InlineData("<|eot_id|>")]
    [InlineData("<|eom_id|>")]
    [InlineData("</s>")]
    public void EndTokens_ControlTokenThatEndsATurn_IsOne(string text)
    {
        var small = Small().Set("tokenizer.ggml.tokens", new[] { "a", "b", "ab", text })
            .Set("tokenizer.ggml.token_type", new[] { 1, 1, 1, 3 }).Set("tokenizer.ggml.eos_token_id", 2u);
        Assert.Equal([2, 3], From(small).EndTokens);
        Assert.Equal([2], From(small.Set("tokenizer.ggml.token_type", new[] { 1, 1, 1, 1 })).EndTokens);
    }

    [Fact]
    public void EndTokens_FileNamesTheEndOfATurn_IsOne() => Assert.Equal(
        [0, 1], From(Small().Set("tokenizer.ggml.eos_token_id", 0u).Set("tokenizer.ggml.eot_token_id", 1u)).EndTokens);

    [Fact]
    public void Encode_PieceThatIsAToken_NeedsNoMergesOnlyWithWholeWords()
    {
        Assert.Equal([0, 1], From(Small()).Encode("ab"));
        Assert.Equal([2], From(Small().Set("tokenizer.ggml.pre", "llama-bpe")).Encode("ab"));
    }

    [Fact]
    public void Encode_TextWithTheBeginToken_HasItOnce()
    {
        var llama3 = Load(Assets.Tiny("llama3-gqa-scaled-rope"));
        Assert.Equal(llama3.BeginToken, llama3.Encode("<|begin_of_text|>Hello")[0]);
        Assert.Single(llama3.Encode("<|begin_of_text|>Hello"), token => token == llama3.BeginToken);
    }

    [Fact]
    public void TokenBytes_OutsideTheVocabulary_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Tiny.TokenBytes(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tiny.TokenBytes(Tiny.VocabSize));
        Assert.Throws<ArgumentOutOfRangeException>(() => Tiny.Decode([Tiny.VocabSize]));
    }

    public static TheoryData<string, object?, string> Refused => new()
    {
        {
            "model", "t5",
            "key \"tokenizer.ggml.model\" is \"t5\", which is not supported. Supported are \"gpt2\", \"llama\"."
        },
        {
            "pre", "tekken",
            "key \"tokenizer.ggml.pre\" is \"tekken\", which is not supported. Supported are \"gpt-2\", "
            + "\"llama-bpe\", \"qwen2\", \"smollm\"."
        },
        { "pre", null, "key \"tokenizer.ggml.pre\" is missing." },
        { "tokens", Array.Empty<string>(), "key \"tokenizer.ggml.tokens\" has 0 tokens; expected 1 to 1048576." },
        {
            "token_type", new[] { 1 },
            "key \"tokenizer.ggml.token_type\" has 1 entries; expected one for each of the 4 tokens."
        },
        {
            "merges", new[] { "a b", "b a" },
            "entry 1 of key \"tokenizer.ggml.merges\" is no pair of tokens that makes a third."
        },
        { "eos_token_id", 4u, "key \"tokenizer.ggml.eos_token_id\" is 4; expected 0 to 3." },
        { "eot_token_id", 4u, "key \"tokenizer.ggml.eot_token_id\" is 4; expected 0 to 3." },
        {
            "add_bos_token", true,
            "key \"tokenizer.ggml.add_bos_token\" wants a begin token, but key \"tokenizer.ggml.bos_token_id\" is "
            + "missing."
        },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void From_UnsupportedOrDamaged_SaysWhatIsWrong(string key, object? value, string message)
    {
        var error = Assert.Throws<InvalidDataException>(() => From(Small().Set($"tokenizer.ggml.{key}", value)));
        Assert.Equal($"\"test.gguf\" cannot be used: {message}", error.Message);
    }

    private static GgufBuilder Small() => new GgufBuilder()
        .Add("tokenizer.ggml.model", "gpt2").Add("tokenizer.ggml.pre", "smollm")
        .Add("tokenizer.ggml.tokens", new[] { "a", "b", "ab", "<s>" })
        .Add("tokenizer.ggml.token_type", new[] { 1, 1, 1, 4 })
        .Add("tokenizer.ggml.merges", Array.Empty<string>());

    private static Tokenizer From(GgufBuilder builder)
    {
        using var file = builder.Open();
        return Tokenizer.From(file);
    }

    private static Tokenizer Load(string path)
    {
        using var file = GgufFile.Open(path);
        return Tokenizer.From(file);
    }
}
