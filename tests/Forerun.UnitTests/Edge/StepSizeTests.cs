using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge.Control;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

/// <summary>How many branches get their next token together.</summary>
public class StepSizeTests
{
    private const int VocabSize = 600;

    [Theory]
    [InlineData(0, 8)]
    [InlineData(0.3, 2)]
    [InlineData(1, 1)]
    public async Task Preemptive_TakesAsManyBranchesAsAStepAffords(double branchCost, int expected)
    {
        var random = new Random(4);
        ImmutableArray<int> text = [.. Enumerable.Range(0, 300).Select(_ => random.Next(VocabSize))];
        var times = new WorldTimes(DraftMs: 4, VerifyMs: 200, RowMs: 0, RoundTripMs: 10);
        var clock = new FakeTimeProvider();
        var drafter = new TimedDrafter(new GuessingDrafter(text), times, clock, branchCost);
        var decoder = new EdgeDecoder(new TimedTarget(text, times, clock), drafter, timeProvider: clock);
        var request = new GenerationRequest
        {
            PromptTokens = [1, 2, 3],
            MaxTokens = text.Length,
            Mode = DecodingMode.Preemptive,
        };
        Assert.Equal(text, (await decoder.CompleteAsync(request, Deadline.Token)).Tokens);
        Assert.Equal(expected, drafter.Steps.Skip(drafter.Steps.Count / 2).Max());
    }

    /// <summary>Knows the text, is wrong every third time, and right with any of eleven other ideas then.</summary>
    private sealed class GuessingDrafter(ImmutableArray<int> text) : IDrafter
    {
        public void Begin(GenerationRequest request)
        {
        }

        public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

        public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
        {
            foreach (var branch in branches)
            {
                var index = branch.Tokens.Length - 3;
                var right = index >= text.Length ? 0 : text[index];
                var others = Enumerable.Range(0, TokenAlternatives.Capacity)
                    .Select(rank => rank == index % TokenAlternatives.Capacity ? right : (right + 2 + rank) % VocabSize);
                branch.Append(new DraftedToken(
                    index % 3 == 0 ? (right + 1) % VocabSize : right, new TokenAlternatives([.. others]), Margin: 1));
            }
        }
    }
}
