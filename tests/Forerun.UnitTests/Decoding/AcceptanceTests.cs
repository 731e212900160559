using CsCheck;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Decoding;

public class AcceptanceTests
{
    private const int End = 2;

    [Theory]
    [InlineData(new[] { 5, 6, 7 }, new[] { 5, 6, 7, 8 }, 3, 8, null)]
    [InlineData(new[] { 5, 6, 7 }, new[] { 9 }, 0, 9, null)]
    [InlineData(new[] { 5, 6, 7 }, new[] { 5, 9 }, 1, 9, null)]
    [InlineData(new int[0], new[] { 4 }, 0, 4, null)]
    [InlineData(new[] { 5, End, 7 }, new[] { 5, End }, 1, End, FinishReason.Stop)]
    [InlineData(new[] { 5, 6 }, new[] { 5, End }, 1, End, FinishReason.Stop)]
    [InlineData(new[] { 5, End, 7 }, new[] { 5, 6 }, 1, 6, null)]
    [InlineData(new[] { 5 }, new[] { 5, End }, 1, End, FinishReason.Stop)]
    public void Accept_Examples_YieldCountTokenAndReason(
        int[] draft, int[] target, int accepted, int next, FinishReason? reason) => Assert.Equal(
            new AcceptanceResult(accepted, next, reason),
            Acceptance.Accept(draft, 10, new GenerationLimits(100, 4, 50, [End]), target, static (t, row) => t[row]));

    [Theory]
    [InlineData(1, 0, 5)]
    [InlineData(2, 1, 6)]
    [InlineData(3, 2, 7)]
    public void Accept_FewTokensRemain_TheLastIsTheNextToken(int remaining, int accepted, int next)
    {
        int[] tokens = [5, 6, 7, 8];
        Assert.Equal(
            new AcceptanceResult(accepted, next, FinishReason.Length),
            Acceptance.Accept(
                tokens, 10, new GenerationLimits(100, 10, remaining, [End]), tokens, static (t, row) => t[row]));
        Assert.Equal(
            new AcceptanceResult(accepted, next, FinishReason.ContextFull),
            Acceptance.Accept(
                tokens, 10, new GenerationLimits(10 + remaining, 4, 0, [End]), tokens, static (t, row) => t[row]));
    }

    [Fact]
    public void Accept_NoTokenRemains_Throws() => Assert.Throws<ArgumentOutOfRangeException>(
        () => Acceptance.Accept([1], 14, new GenerationLimits(100, 4, 10), 0, static (_, _) => 1));

    [Fact]
    public void Accept_AnyDrafts_RebuildTheTargetsOwnText() =>
        Gen.Select(Gen.Int[0, 6].Array[40], Gen.Int[1, 39], Gen.Int[0, 40], Gen.Int[0, 8], Gen.Int).Sample(
            (text, promptLength, maxTokens, draftLength, seed) =>
            {
                var limits = new GenerationLimits(text.Length, promptLength, maxTokens, [End]);
                var expected = Autoregressive(text, promptLength, limits, out var expectedReason);
                var random = new Random(seed);
                var output = new List<int>();
                FinishReason? reason = null;
                while (reason is null)
                {
                    var position = promptLength + output.Count;
                    var draft = text.AsSpan(position, limits.DraftLength(position, draftLength)).ToArray();
                    for (var i = 0; i < draft.Length; i++)
                    {
                        draft[i] = random.Next(4) == 0 ? random.Next(7) : draft[i];
                    }

                    var rows = new List<int>();
                    var result = Acceptance.Accept(draft, position, limits, (text, position, rows), static (s, row) =>
                    {
                        s.rows.Add(row);
                        return s.text[s.position + row];
                    });
                    Assert.InRange(result.AcceptedCount, 0, draft.Length);
                    Assert.Equal(Enumerable.Range(0, result.AcceptedCount + 1), rows);
                    output.AddRange(draft.Take(result.AcceptedCount));
                    output.Add(result.NextToken);
                    reason = result.FinishReason;
                }

                Assert.Equal(expected, output);
                Assert.Equal(expectedReason, reason);
            });

    [Fact]
    public void Accept_StaticFunction_AllocatesNothing()
    {
        var limits = new GenerationLimits(100, 4, 50, [End]);
        int[] tokens = [5, 6, 7, 8];
        var before = 0L;
        for (var i = 0; i < 20; i++)
        {
            Acceptance.Accept(tokens.AsSpan(0, 3), 10, limits, tokens, static (t, row) => t[row]);
            before = i == 0 ? GC.GetAllocatedBytesForCurrentThread() : before;
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static List<int> Autoregressive(int[] text, int start, GenerationLimits limits, out FinishReason? reason)
    {
        var output = new List<int>();
        do
        {
            output.Add(text[start + output.Count]);
            reason = limits.FinishReasonOf(output[^1], start + output.Count - 1);
        }
        while (reason is null);
        return output;
    }
}
