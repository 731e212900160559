using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

/// <summary>Sessions that change between drafting and streaming in the middle of a generation.</summary>
public class StreamedRoundsTests
{
    private const int VocabSize = 600;

    [Fact]
    public async Task AnyChoiceInAnyRound_AnyInterleaving_WritesTheTargetsText()
    {
        var (streamed, drafted, rehearsed) = (0, 0, 0);
        for (var seed = 0; seed < 300; seed++)
        {
            var text = Text(seed);
            var target = new FakeTarget(text, VocabSize, seed) { Announce = AdversarialAnnouncements.Any };
            var rounds = await PlayAsync(target, text, new WanderingPolicy(seed));
            Assert.True(target.IsOver);
            streamed += rounds.Count(round => round.Choice.Mode == DecodingMode.Autoregressive);
            drafted += rounds.Count(round => round.DraftLength > 0);
            rehearsed += rounds.Count(round => round.Rehearsed is not null);
        }

        Assert.True(streamed > 1000 && drafted > 1000 && rehearsed > 200, $"{streamed} {drafted} {rehearsed}");
    }

    [Fact]
    public async Task Rehearsal_TellsWhatAVerdictWouldHaveBeen()
    {
        var text = Text(3);
        var target = new FakeTarget(text, VocabSize, 3);
        var right = await PlayAsync(target, text, new StreamingPolicy(rehearsed: 4), errors: 0);
        Assert.True(right.Count(round => round.Rehearsed is not null) >= text.Length / 8);
        Assert.All(
            right.Select(round => round.Rehearsed).OfType<RehearsedDraft>().SkipLast(1),
            rehearsed => Assert.Equal((4, 4), (rehearsed.DraftedCount, rehearsed.AgreedCount)));

        var wrong = await PlayAsync(new FakeTarget(text, VocabSize, 3), text, new StreamingPolicy(rehearsed: 4), errors: 1);
        Assert.All(
            wrong.Select(round => round.Rehearsed).OfType<RehearsedDraft>(),
            rehearsed => Assert.Equal(0, rehearsed.AgreedCount));
    }

    [Fact]
    public async Task Streaming_SendsNoDraftAndLetsTheTargetKnowInGoodTime()
    {
        var text = Text(5);
        var target = new FakeTarget(text, VocabSize, 5);
        var rounds = await PlayAsync(target, text, new StreamingPolicy(rehearsed: 0));
        Assert.Empty(target.Sent);
        Assert.Equal(text.Length, rounds.Count);
        Assert.All(rounds, round => Assert.Null(round.Rehearsed));
    }

    [Fact]
    public async Task AModelThatDrafts_CatchesUpWithTheStream_AndGivesItsMemoryBack()
    {
        using var model = TinyModels.Load("smollm-gqa-tied-q4_0");
        using var drafter = new ModelDrafter(model);
        var request = new GenerationRequest
        {
            PromptTokens = [1, 2, 3],
            MaxTokens = 120,
            IgnoreEndTokens = true,
            Mode = DecodingMode.Pipelined,
        };
        var text = TinyModels.PlainLoop(TinyModels.Target, request);
        var accepted = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var rounds = await PlayAsync(new FakeTarget(text, VocabSize, seed), text, new WanderingPolicy(seed), drafter);
            accepted += rounds.Sum(round => round.AcceptedCount);
            Assert.Equal(0, model.KvBytesInUse);
        }

        Assert.True(accepted > 100, $"{accepted}");
    }

    private static Task<List<DecodedRound>> PlayAsync(
        FakeTarget target, ImmutableArray<int> text, IDecodingPolicy policy, double errors = 0.3) =>
        PlayAsync(
            target,
            text,
            policy,
            errors is 0 or 1
                ? new OracleDrafter(text, (int)errors, VocabSize)
                : new NoisyOracleDrafter(text, errors, VocabSize));

    private static async Task<List<DecodedRound>> PlayAsync(
        FakeTarget target, ImmutableArray<int> text, IDecodingPolicy policy, IDrafter drafter)
    {
        var request = new GenerationRequest
        {
            PromptTokens = [1, 2, 3],
            MaxTokens = text.Length,
            Mode = DecodingMode.Pipelined,
        };
        var verification = await target.OpenAsync(request, Deadline.Token);
        using var session = new EdgeSession(
            verification, drafter, request, policy, EdgeDecoderOptions.Default, new VerdictOdds(), new MeasuredTimes(16),
            new CoreRoom(TimeProvider.System), TimeProvider.System);
        List<DecodedRound> rounds = [];
        while (rounds.LastOrDefault()?.End is null)
        {
            rounds.Add(await session.DecodeRoundAsync(Deadline.Token));
        }

        Assert.Equal(text, rounds.SelectMany(round => round.Tokens));
        return rounds;
    }

    private static ImmutableArray<int> Text(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 40 + random.Next(60)).Select(_ => random.Next(VocabSize))];
    }

    /// <summary>Any mode and length, for a few rounds each.</summary>
    private sealed class WanderingPolicy(int seed) : IDecodingPolicy
    {
        private readonly Random _random = new(seed);
        private DecodingChoice _choice;

        public int RoundsInFlight => _random.Next(6);

        public int RoundsPerGrant => 1 + _random.Next(8);

        public DecodingMode Open(bool mayOffer) => DecodingMode.Pipelined;

        public DecodingChoice Next()
        {
            if (_random.Next(4) == 0)
            {
                var mode = (DecodingMode)_random.Next((int)DecodingMode.Asynchronous + 1);
                _choice = new(mode, _random.Next(mode == DecodingMode.Autoregressive ? 0 : 1, 6));
            }

            return _choice;
        }

        public void Learn(DecodedRound round)
        {
        }
    }

    private sealed class StreamingPolicy(int rehearsed) : IDecodingPolicy
    {
        public int RoundsInFlight => 3;

        public int RoundsPerGrant => 8;

        public DecodingMode Open(bool mayOffer) => DecodingMode.Pipelined;

        public DecodingChoice Next() => new(DecodingMode.Autoregressive, rehearsed);

        public void Learn(DecodedRound round)
        {
        }
    }
}
