using System.Text;
using System.Text.RegularExpressions;
using CsCheck;
using Forerun.Inference.Tokenization;

namespace Forerun.UnitTests.Tokenization;

public partial class SmolLmPreTokenizerTests
{
    [Fact]
    public void Split_AnyTextUpToUFFFF_IsWhatThePatternGives() => Texts.Any.Sample(text =>
    {
        text = string.Concat(Texts.WithoutLoneSurrogates(text).Where(unit => !char.IsSurrogate(unit)));
        var expected = Digits().Split(text).SelectMany(run => Pattern().Matches(run)).Select(match => match.Value);
        Assert.Equal(expected, Split(text));
    });

    [Fact]
    public void Split_LettersAndDigitsBeyondUFFFF_AreLettersAndDigits() =>
        Assert.Equal(["a", " 𝒳𝒴x", "𝟗", "𝟗", "😀"], Split("a 𝒳𝒴x𝟗𝟗😀"));

    [Fact]
    public void Split_SpacesBeforeADigit_StayTogether() =>
        Assert.Equal(["a", "  ", "1", " ", " b", "  "], Split("a  1  b  "));

    private static List<string> Split(string text)
    {
        var pieces = new List<string>();
        foreach (var piece in SmolLmPreTokenizer.Split(Encoding.UTF8.GetBytes(text)))
        {
            pieces.Add(Encoding.UTF8.GetString(piece));
        }

        return pieces;
    }

    [GeneratedRegex(@"(\p{N})")]
    private static partial Regex Digits();

    [GeneratedRegex(@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
