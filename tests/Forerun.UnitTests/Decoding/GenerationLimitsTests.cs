using CsCheck;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Decoding;

public class GenerationLimitsTests
{
    [Fact]
    public void RemainingTokens_CountsDownToTheNearerLimit()
    {
        Assert.Equal(5, new GenerationLimits(100, 10, 5).RemainingTokens(10));
        Assert.Equal(1, new GenerationLimits(100, 10, 5).RemainingTokens(14));
        Assert.Equal(0, new GenerationLimits(100, 10, 5).RemainingTokens(15));
        Assert.Equal(0, new GenerationLimits(100, 10, 5).RemainingTokens(1000));
        Assert.Equal(90, new GenerationLimits(100, 10, 0).RemainingTokens(10));
        Assert.Equal(90, new GenerationLimits(100, 10, int.MaxValue).RemainingTokens(10));
    }

    [Fact]
    public void FinishReasonOf_EachEnd_IsToldApart()
    {
        var limits = new GenerationLimits(100, 10, 5, [2, 3]);
        Assert.Null(limits.FinishReasonOf(7, 13));
        Assert.Equal(FinishReason.Stop, limits.FinishReasonOf(3, 10));
        Assert.Equal(FinishReason.Stop, limits.FinishReasonOf(2, 14));
        Assert.Equal(FinishReason.Length, limits.FinishReasonOf(7, 14));
        Assert.Equal(FinishReason.Length, new GenerationLimits(15, 10, 5).FinishReasonOf(7, 14));
        Assert.Equal(FinishReason.ContextFull, new GenerationLimits(15, 10, 6).FinishReasonOf(7, 14));
        Assert.Null(new GenerationLimits(100, 10, 5).FinishReasonOf(2, 10));
    }

    [Fact]
    public void DraftLength_AnyPosition_LeavesRoomForTheNextToken() =>
        Gen.Select(Gen.Int[1, 50], Gen.Int[1, 50], Gen.Int[0, 60], Gen.Int[0, 60], Gen.Int[0, 20]).Sample(
            (prompt, room, maxTokens, generated, wanted) =>
            {
                var limits = new GenerationLimits(prompt + room, prompt, maxTokens);
                var position = prompt + generated;
                var length = limits.DraftLength(position, wanted);
                var remaining = limits.RemainingTokens(position);
                Assert.InRange(remaining, 0, room);
                Assert.InRange(length, 0, wanted);
                Assert.True(length == 0 || length + 1 <= remaining);
                Assert.True(length == wanted || length + 1 >= remaining);
            });

    [Fact]
    public void Constructor_PromptFillsTheContext_SaysBoth()
    {
        var error = Assert.Throws<ArgumentException>(() => new GenerationLimits(8, 8, 0));
        Assert.StartsWith(
            "The prompt is too long: the model's context holds 8 tokens, so a prompt may have 7, got 8. "
            + "Shorten the prompt.",
            error.Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new GenerationLimits(8, 0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new GenerationLimits(8, 1, -1));
    }
}
