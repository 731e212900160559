using System.Collections.Immutable;
using Forerun.Cli.Chatting;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Cli;

/// <summary>What a chat shows of tokens, and which modes are compared.</summary>
public class TokenPiecesTests
{
    [Theory]
    [InlineData(2, 2, nameof(TokenOrigin.Accepted), nameof(TokenOrigin.Accepted), nameof(TokenOrigin.Bonus))]
    [InlineData(4, 2, nameof(TokenOrigin.Accepted), nameof(TokenOrigin.Accepted), nameof(TokenOrigin.Recovered))]
    [InlineData(4, 0, nameof(TokenOrigin.Recovered))]
    [InlineData(0, 0, nameof(TokenOrigin.Plain))]
    public void Of_TellsWhereTokensComeFrom(int draftLength, int acceptedCount, params string[] expected)
    {
        var pieces = new TokenPieces(TinyModels.Target.Tokenizer).Of(new DecodedRound
        {
            Round = 1,
            Tokens = [.. TinyModels.Target.Tokenizer.Encode("abc def ghi jkl").Take(acceptedCount + 1)],
            DraftLength = draftLength,
            AcceptedCount = acceptedCount,
        });
        Assert.Equal(expected, pieces.Select(piece => piece.Origin.ToString()));
    }

    [Fact]
    public void Of_ACharacterOverTwoRounds_BelongsToTheTokenThatCompletesIt()
    {
        var tokenizer = TinyModels.Target.Tokenizer;
        var tokens = tokenizer.Encode("é🙂");
        Assert.True(tokens.Length > 2, "The characters take several tokens.");
        var pieces = new TokenPieces(tokenizer);
        var shown = tokens.Select((token, i) => pieces.Of(new DecodedRound
        {
            Round = i + 1,
            Tokens = [token],
            DraftLength = i == tokens.Length - 1 ? 1 : 0,
            End = i == tokens.Length - 1 ? new GenerationEnd(FinishReason.Length, new Usage()) : null,
        }).ToImmutableArray()).SelectMany(round => round).ToArray();
        Assert.Equal("é🙂", string.Concat(shown.Select(piece => piece.Text)));
        Assert.Equal(
            new TokenPiece("🙂", TokenOrigin.Recovered), Assert.Single(shown, piece => piece.Text.Contains('\uDE42')));
    }

    [Fact]
    public void Safe_ControlCharacters_CannotSteerATerminal() =>
        Assert.Equal("a\n\tb\uFFFD[31m\uFFFD\uFFFD[/]", Terminal.Safe("a\n\tb\u001b[31m\r\u009b[/]"));

    [Fact]
    public void Lossless_IsAllButEdgeOnly() =>
        Assert.Equal([DecodingMode.EdgeOnly], Enum.GetValues<DecodingMode>().Except(ModeNames.Lossless));
}
