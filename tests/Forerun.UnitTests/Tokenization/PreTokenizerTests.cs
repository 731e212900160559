using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Forerun.Inference.Tokenization;

namespace Forerun.UnitTests.Tokenization;

public partial class PreTokenizerTests
{
    [Fact]
    public void Split_Gpt2UpToUFFFF_IsWhatThePatternGives() =>
        AssertEqual("gpt-2", text => Gpt2().Matches(text).Select(match => match.Value));

    [Fact]
    public void Split_SmolLmUpToUFFFF_IsWhatThePatternGives() => AssertEqual(
        "smollm", text => Digits().Split(text).SelectMany(run => Gpt2().Matches(run)).Select(match => match.Value));

    [Fact]
    public void Split_LlamaBpeUpToUFFFF_IsWhatThePatternGives() =>
        AssertEqual("llama-bpe", text => Llama3().Matches(text).Select(match => match.Value));

    [Fact]
    public void Split_Qwen2UpToUFFFF_IsWhatThePatternGives() =>
        AssertEqual("qwen2", text => Qwen2().Matches(text).Select(match => match.Value));

    [Theory]
    [InlineData("gpt-2", new[] { "a", " 𝒳𝒴x", "𝟗𝟗", "😀" })]
    [InlineData("smollm", new[] { "a", " 𝒳𝒴x", "𝟗", "𝟗", "😀" })]
    [InlineData("llama-bpe", new[] { "a", " 𝒳𝒴x", "𝟗𝟗", "😀" })]
    [InlineData("qwen2", new[] { "a", " 𝒳𝒴x", "𝟗", "𝟗", "😀" })]
    public void Split_LettersAndDigitsBeyondUFFFF_AreLettersAndDigits(string name, string[] expected) =>
        Assert.Equal(expected, Split(name, "a 𝒳𝒴x𝟗𝟗😀"));

    [Theory]
    [InlineData("gpt-2", new[] { "a", " ", " 1234", " ", " b", "  " })]
    [InlineData("smollm", new[] { "a", "  ", "1", "2", "3", "4", " ", " b", "  " })]
    [InlineData("llama-bpe", new[] { "a", " ", " ", "123", "4", " ", " b", "  " })]
    [InlineData("qwen2", new[] { "a", " ", " ", "1", "2", "3", "4", " ", " b", "  " })]
    public void Split_SpacesAndDigits_DifferByPreTokenizer(string name, string[] expected) =>
        Assert.Equal(expected, Split(name, "a  1234  b  "));

    private static void AssertEqual(string name, Func<string, IEnumerable<string>> expected) => Texts.Any.Sample(text =>
    {
        text = string.Concat(Texts.WithoutLoneSurrogates(text).Where(unit => !char.IsSurrogate(unit)));
        Assert.Equal(expected(text), Split(name, text));
    });

    private static List<string> Split(string name, string text)
    {
        var pieces = new List<string>();
        foreach (var piece in PreTokenizer.Find(name)!.Split(Encoding.UTF8.GetBytes(text)))
        {
            pieces.Add(Encoding.UTF8.GetString(piece));
        }

        return pieces;
    }

    [GeneratedRegex(@"(\p{N})")]
    private static partial Regex Digits();

    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Gpt2();

    [GeneratedRegex(
        @"'ſ|(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        + @"|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Llama3();

    [GeneratedRegex(
        @"'ſ|(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        + @"|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2();
}
