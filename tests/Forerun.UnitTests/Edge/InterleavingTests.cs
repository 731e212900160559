using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;
using Forerun.Protocol;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

/// <summary>Pre-drafts race verdicts in every order: the text is the target's, and both sides keep to the protocol.
/// </summary>
public class InterleavingTests
{
    private const int VocabSize = 600;

    public static TheoryData<DecodingMode, int> Cases => new(
        from mode in new[]
        {
            DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined, DecodingMode.Asynchronous, DecodingMode.Auto,
        }
        from draftLength in Enumerable.Range(1, 8)
        select (mode, draftLength));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_AnyInterleaving_WritesTheTargetsText(DecodingMode mode, int draftLength)
    {
        var rounds = 0;
        var hits = 0;
        var endedEarly = 0;
        for (var seed = 0; rounds < 800; seed++)
        {
            var text = Text(seed);
            var target = new FakeTarget(text, VocabSize, seed) { Announce = AdversarialAnnouncements.Any };
            var decoder = Decoder(target, Drafter(seed, text), draftLength);
            var played = await PlayAsync(decoder, mode, text);
            Assert.True(target.IsOver);
            AssertQueueBounds(target);
            rounds += played.Count;
            hits += played.Sum(round => round.PreDrafts.Hits);
            endedEarly += played.Count(round => round.EndsEarly && !round.Choice.Mode.IsStreamed());
        }

        Assert.True(mode == DecodingMode.Auto || hits > 0 == mode.DraftsAhead(), $"{hits} hits");
        Assert.True(mode.IsStreamed() || mode == DecodingMode.Auto || draftLength == 1 || endedEarly > 0, $"{endedEarly} drafts ended early");
    }

    [Fact]
    public async Task Pipelined_RightAnnouncements_AreDraftedForAndSentAhead()
    {
        var text = Text(5);
        var target = new FakeTarget(text, VocabSize, 5) { Announce = AdversarialAnnouncements.Right };
        var decoder = Decoder(target, new NoisyOracleDrafter(text, errors: 0.4, VocabSize), 4);
        var rounds = await PlayAsync(decoder, DecodingMode.Pipelined, text);
        var sum = rounds.Aggregate(PreDraftStatistics.None, (sum, round) => sum + round.PreDrafts);
        Assert.Equal(rounds.Count - 1, sum.Rounds);
        Assert.True(sum.AnnouncementHits > 0);
        Assert.Equal(sum.SentHits, rounds.Count(round => round.IsSentAhead));
        Assert.Equal(sum.SentHits, target.Inbox.MatchedDrafts);
        Assert.Equal(sum.SentDrafts, target.Sent.Count(draft => draft.Assumption is not null));
        Assert.Equal(rounds.Count, target.Sent.Count - sum.SentDrafts + sum.SentHits);
    }

    [Fact]
    public async Task Preemptive_SendsNothingAhead()
    {
        var text = Text(9);
        var target = new FakeTarget(text, VocabSize, 9);
        var rounds = await PlayAsync(
            Decoder(target, new NoisyOracleDrafter(text, 0.2, VocabSize), 4), DecodingMode.Preemptive, text);
        Assert.All(target.Sent, draft => Assert.Null(draft.Assumption));
        Assert.All(rounds, round => Assert.False(round.IsSentAhead));
        Assert.True(rounds.Sum(round => round.PreDrafts.Hits) > rounds.Count / 4);
    }

    [Fact]
    public async Task Announcement_OnAFullBudget_TakesTheLeastLikelyBranchsPlace()
    {
        var text = Text(5);
        var target = new FakeTarget(text, VocabSize, 5) { Announce = AdversarialAnnouncements.Right };
        var decoder = new EdgeDecoder(
            target,
            new NoisyOracleDrafter(text, errors: 0.4, VocabSize),
            new() { PreDrafts = new() { MaxBranches = 1, MaxTokens = 4 } });
        var rounds = await PlayAsync(decoder, DecodingMode.Preemptive, text);
        Assert.True(rounds.Sum(round => round.PreDrafts.AnnouncementHits) > rounds.Count / 4);
        Assert.Contains(rounds, round => round.PreDrafts.Tokens > 4);
    }

    private static EdgeDecoder Decoder(FakeTarget target, IDrafter drafter, int draftLength) =>
        new(target, drafter, new() { DraftLength = draftLength }, new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) });

    private static IDrafter Drafter(int seed, ImmutableArray<int> text) => (seed % 4) switch
    {
        0 => new RandomDrafter(seed, VocabSize),
        1 => new NgramDrafter(),
        2 => new OracleDrafter(text, 0, VocabSize),
        _ => new NoisyOracleDrafter(text, 0.3, VocabSize),
    };

    private static ImmutableArray<int> Text(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 60 + random.Next(60)).Select(_ => random.Next(seed % 4 == 1 ? 5 : VocabSize))];
    }

    private static async Task<List<DecodedRound>> PlayAsync(
        EdgeDecoder decoder, DecodingMode mode, ImmutableArray<int> text)
    {
        var request = new GenerationRequest { PromptTokens = [1, 2, 3], MaxTokens = text.Length, Mode = mode };
        List<DecodedRound> rounds = [];
        var sum = PreDraftStatistics.None;
        await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
        {
            var ahead = round.PreDrafts;
            sum += ahead;
            Assert.InRange(ahead.WastedTokens, 0, int.MaxValue);
            Assert.InRange(sum.WastedTokens, 0, sum.Tokens);
            Assert.InRange(ahead.SentDrafts, 0, PreDraftOptions.Default.MaxSent);
            Assert.InRange(ahead.Hits, 0, ahead.Rounds);
            Assert.InRange(ahead.FinishedHits, ahead.SentHits, ahead.Hits);
            var isOffered = round.Choice.Mode == DecodingMode.Asynchronous && round.DraftLength > 0;
            Assert.Equal(round.IsSentAhead, isOffered || (rounds.Count > 0 && rounds[^1].PreDrafts.SentHits == 1));
            rounds.Add(round);
        }

        Assert.Equal(text, rounds.SelectMany(round => round.Tokens));
        return rounds;
    }

    private static void AssertQueueBounds(FakeTarget target)
    {
        foreach (var round in target.Sent.GroupBy(draft => draft.Round))
        {
            var assuming = round.Where(draft => draft.Assumption is not null).ToList();
            Assert.InRange(assuming.Count, 0, ProtocolConstants.MaxQueuedDrafts);
            Assert.InRange(round.Count() - assuming.Count, 0, 1);
            Assert.Equal(assuming.Count, assuming.Select(draft => draft.Assumption).Distinct().Count());
        }
    }
}
