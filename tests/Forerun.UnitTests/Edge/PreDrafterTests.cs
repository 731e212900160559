using Forerun.Core.Decoding;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

/// <summary>What is drafted for verdicts behind verdicts.</summary>
public class PreDrafterTests
{
    private const int VocabSize = 64;

    [Fact]
    public void Begin_AfterAHit_HasDraftsReadyThatWereDraftedBeforeTheVerdict()
    {
        using var world = new World(draftLength: 2);
        world.Begin();
        while (world.Ahead.Step())
        {
        }

        var sent = world.Ahead.TakeReady();
        Assert.NotEmpty(sent);
        var likeliest = sent[0];
        world.Decide(likeliest.Assumption!.Value);
        Assert.Same(likeliest, world.Sent);
        world.Begin();
        Assert.True(world.Ahead.IsReady);
        Assert.All(world.Ahead.TakeReady(), draft => Assert.Equal(2, draft.Assumption!.Value.Round));
    }

    [Fact]
    public void Begin_NextRoundIsNotDraftedAheadOf_NothingIsKept()
    {
        using var world = new World(draftLength: 2);
        world.Begin();
        while (world.Ahead.Step())
        {
        }

        world.Decide(world.Ahead.TakeReady()[0].Assumption!.Value);
        world.Ahead.Clear();
        world.Begin();
        Assert.False(world.Ahead.IsReady);
    }

    /// <summary>Draft lengths change from round to round, and with them what full acceptance is.</summary>
    [Fact]
    public void TakeReady_AnyRounds_AssumesOnlyVerdictsThatTheDraftCanHave()
    {
        var random = new Random(3);
        using var world = new World(draftLength: 4);
        var (sent, hits) = (0, 0);
        for (var i = 0; i < 2000; i++)
        {
            world.DraftLength = 1 + random.Next(5);
            world.Odds.LeastDraftChance = random.NextDouble() - 0.5;
            world.Begin();
            for (var steps = random.Next(12); steps > 0 && world.Ahead.Step(); steps--)
            {
            }

            var drafts = world.Ahead.TakeReady().ToList();
            foreach (var draft in drafts)
            {
                var (round, k, t) = draft.Assumption!.Value;
                Assert.Equal(world.Draft.Round, round);
                Assert.Equal(world.Draft.BasePosition + k + 1, draft.BasePosition);
                Assert.InRange(k, 0, world.Draft.Tokens.Length);
                Assert.True(k == world.Draft.Tokens.Length || world.Draft.Tokens[k] != t);
                Assert.Equal(World.TokensBehind(t, draft.Tokens.Length), draft.Tokens);
            }

            sent += drafts.Count;
            // A guess, whether it was sent or not; now and then a verdict that nobody expects.
            var accepted = random.Next(world.Draft.Tokens.Length + 1);
            var last = accepted == 0 ? world.Draft.Tokens[0] - 1 : world.Draft.Tokens[accepted - 1];
            var next = last + (accepted == world.Draft.Tokens.Length ? 1 : random.Next(4) > 0 ? 8 : 40);
            hits += world.Decide(new(world.Draft.Round, accepted, next % VocabSize)).Hits;
        }

        Assert.True(sent > 1000 && hits > 500, $"{sent} sent, {hits} hits");
    }

    /// <summary>Each token is accepted with a chance of 0.55: two of them with 0.3, three with 0.17. In a draft that is sent before the
    /// verdict a token costs half.</summary>
    [Fact]
    public void TakeReady_TokensThatAreNotWorthIt_AreLeftOut()
    {
        using var world = new World(draftLength: 6);
        world.Odds.LeastDraftChance = 0.4;
        world.Begin();
        while (world.Ahead.Step())
        {
        }

        var sent = world.Ahead.TakeReady();
        Assert.NotEmpty(sent);
        Assert.All(sent, draft => Assert.Equal(2, draft.Tokens.Length));

        // What stands behind the shorter draft is a guess at its next token: the chain of hits goes on.
        world.Decide(sent[0].Assumption!.Value);
        Assert.Same(sent[0], world.Sent);
        Assert.True(world.Ahead.EndsEarly);
        world.Begin();
        Assert.True(world.Ahead.IsReady);
    }

    /// <summary>A drafter whose next token is a function of the last one, and rounds without a target.</summary>
    private sealed class World : IDisposable, IDrafter
    {
        private DraftBranch _trunk = new();
        private int _round;

        public World(int draftLength)
        {
            DraftLength = draftLength;
            Ahead = new PreDrafter(this, _ => DraftLength, Odds, PreDraftOptions.Default, new FakeTimeProvider());
            _trunk.Follow([1, 2, 3], wanted: 0);
        }

        public VerdictOdds Odds { get; } = new();

        public PreDrafter Ahead { get; }

        public int DraftLength { get; set; }

        public Draft Draft { get; private set; } = new(0, 0, []);

        public Draft? Sent { get; private set; }

        public void Begin()
        {
            _round++;
            _trunk.Wanted = DraftLength;
            while (!_trunk.IsComplete && Sent is null)
            {
                Extend(new ReadOnlySpan<DraftBranch>(in _trunk));
            }

            Draft = Sent ?? _trunk.ToDraft(_round, DraftLength, withDraftProbs: false);
            Ahead.Begin(Draft, _trunk, sendsAhead: true);
        }

        public PreDraftStatistics Decide(Assumption decided)
        {
            var verdict = new Verdict(decided.Round, decided.AcceptedCount, decided.NextToken, default);
            var statistics = Ahead.Decide(verdict, ref _trunk, out var sent);
            Sent = sent;
            return statistics;
        }

        public static IEnumerable<int> TokensBehind(int token, int count) =>
            Enumerable.Range(1, count).Select(i => (token + i) % VocabSize);

        public void Begin(GenerationRequest request) => throw new NotSupportedException();

        public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

        public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
        {
            foreach (var branch in branches)
            {
                var next = (branch.Tokens[^1] + 1) % VocabSize;
                branch.Append(new DraftedToken(next, new TokenAlternatives([(next + 7) % VocabSize, (next + 9) % VocabSize]), Margin: 1));
            }
        }

        public void Dispose()
        {
            Ahead.Dispose();
            _trunk.Dispose();
        }
    }
}
