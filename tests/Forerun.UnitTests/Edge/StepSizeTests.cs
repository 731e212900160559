using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.PreDrafting;
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
    [InlineData(0, 16, 12, 16)]
    [InlineData(0.3, 8, 2, 6)]
    [InlineData(1, 2, 1, 1.2)]
    public async Task Preemptive_TakesAsManyBranchesAsAreWorthTheirTime(double branchCost, int largest, double least, double most)
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
        var steps = drafter.Steps[(drafter.Steps.Count / 2)..];
        Assert.Equal(largest, steps.Max());
        Assert.InRange(steps.Average(), least, most);
    }

    [Fact]
    public void Step_Interrupted_IsNotTakenForAFastOne()
    {
        var undisturbed = StepSizes(interruptedRounds: 0);
        Assert.Equal((16, 1), (undisturbed[0], undisturbed[^1]));
        Assert.Equal(undisturbed, StepSizes(interruptedRounds: 20));
    }

    /// <summary>Drafts ahead in rounds whose first step is interrupted, then in some that are not, where every branch costs as
    /// much as the first.</summary>
    /// <returns>The branches of each whole step.</returns>
    private static List<int> StepSizes(int interruptedRounds)
    {
        var clock = new FakeTimeProvider();
        var timed = new TimedDrafter(new GuessingDrafter([]), new WorldTimes(4, 0, 0, 0), clock, branchCost: 1);
        var drafter = new InterruptibleDrafter(timed);
        using var ahead = new PreDrafter(drafter, _ => 4, new VerdictOdds(), PreDraftOptions.Default, clock);
        for (var round = 1; round <= interruptedRounds + 10; round++)
        {
            using var trunk = new DraftBranch();
            trunk.Follow([1, 2, 3], wanted: 4);
            for (var i = 0; i < trunk.Wanted; i++)
            {
                trunk.Append(new DraftedToken(10 + i, new TokenAlternatives([.. Enumerable.Range(20, 11)]), Margin: 1));
            }

            ahead.Begin(new Draft(round, 3, [.. trunk.Drafted]), trunk, sendsAhead: false);
            Assert.True(ahead.Step(() => round <= interruptedRounds));
        }

        return timed.Steps;
    }

    /// <summary>Stops at its first look, at no cost.</summary>
    private sealed class InterruptibleDrafter(IDrafter inner) : IDrafter
    {
        public void Begin(GenerationRequest request) => inner.Begin(request);

        public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

        public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
        {
            if (isInterrupted?.Invoke() != true)
            {
                inner.Extend(branches);
            }
        }
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
