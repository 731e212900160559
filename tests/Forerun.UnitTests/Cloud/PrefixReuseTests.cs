using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Inference;

namespace Forerun.UnitTests.Cloud;

/// <summary>A prompt that begins with the tokens of another cache takes them over; the text stays the target's own.
/// </summary>
public class PrefixReuseTests
{
    private static readonly GenerationRequest Turn = new()
    {
        PromptTokens = Generations.Prompt(seed: 1, 70),
        Mode = DecodingMode.Autoregressive,
        MaxTokens = 20,
        IgnoreEndTokens = true,
    };

    [Fact]
    public async Task NextTurn_ComputesOnlyWhatIsNew()
    {
        var log = new PassLog();
        using var scheduler = new VerificationScheduler(TinyModels.Target, logger: log);
        var verifier = new LocalVerifier(scheduler);
        var request = Turn;
        var cached = 0;
        for (var turn = 0; turn < 4; turn++)
        {
            var before = log.Passes.Length;
            var generation = await Generations.AssertTextAsync(verifier, request);
            Assert.Equal(cached, generation.End.Usage.ReusedPromptTokens);
            Assert.Equal(request.PromptTokens.Length - 1 - cached, log.Passes.Skip(before).Sum(pass => pass.PromptRows));

            // The newest token has no keys and values yet.
            cached = request.PromptTokens.Length + generation.Tokens.Length - 1;
            request = request with
            {
                PromptTokens = [.. request.PromptTokens, .. generation.Tokens, .. Generations.Prompt(turn, 15)],
            };
        }

        // Each turn's cache took the place of the one it began with.
        Assert.Equal(1, scheduler.KeptCacheCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(66)]
    public async Task OtherContinuation_SharesThePrefixOnly(int shared)
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var verifier = new LocalVerifier(scheduler);
        await Generations.AssertTextAsync(verifier, Turn);
        var other = Turn with { PromptTokens = [.. Turn.PromptTokens[..shared], 7, .. Generations.Prompt(seed: 3, 40)] };
        var generation = await Generations.AssertTextAsync(verifier, other);
        Assert.Equal(shared, generation.End.Usage.ReusedPromptTokens);

        // The first cache is what it was.
        generation = await Generations.AssertTextAsync(verifier, Turn);
        Assert.Equal(69, generation.End.Usage.ReusedPromptTokens);
        Assert.Equal(2, scheduler.KeptCacheCount);
    }

    [Fact]
    public async Task RunningSession_SharesItsPrefix()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var verifier = new LocalVerifier(scheduler);
        var text = TinyModels.PlainLoop(TinyModels.Target, Turn);
        await using var running = scheduler.Open(Turn with { Mode = DecodingMode.Speculative });
        await running.SendAsync(new Draft(1, 70, [text[0], text[1]]), Deadline.Token);
        await running.ReadAsync(Deadline.Token);
        var generation = await Generations.AssertTextAsync(verifier, Turn with { MaxTokens = 5 });
        Assert.Equal(69, generation.End.Usage.ReusedPromptTokens);
        await running.SendAsync(new Draft(2, 73, [text[3], text[4]]), Deadline.Token);
        var verdict = Assert.IsType<Verdict>(await running.ReadAsync(Deadline.Token));
        Assert.Equal((2, text[5]), (verdict.AcceptedCount, verdict.NextToken));
    }

    [Fact]
    public async Task Cancelled_IsKeptToo()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var verification = scheduler.Open(Turn with { MaxTokens = 0 });
        await verification.ReadAsync(Deadline.Token);
        await verification.DisposeAsync();
        var generation = await Generations.AssertTextAsync(new LocalVerifier(scheduler), Turn);
        Assert.Equal(69, generation.End.Usage.ReusedPromptTokens);
    }

    [Fact]
    public async Task TurnedOff_EveryPromptIsComputed()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var scheduler = new VerificationScheduler(target, new() { ReusePrefixes = false });
        for (var i = 0; i < 2; i++)
        {
            var generation = await Generations.AssertTextAsync(new LocalVerifier(scheduler), Turn);
            Assert.Equal(0, generation.End.Usage.ReusedPromptTokens);
        }

        Assert.Equal((0, 0L), (scheduler.KeptCacheCount, target.KvBytesInUse));
    }

    [Fact]
    public void Find_LongestPrefixWins_AndDropOldestIsLeastRecentlyUsed()
    {
        var model = TinyModels.Target;
        using var kept = new KeptCaches();
        Keep(kept, model, [1, 2, 3]);
        Keep(kept, model, [1, 2, 4, 5]);
        Keep(kept, model, [1, 2]);
        Assert.Equal(2, kept.Count);
        Assert.Equal(4, kept.Find([1, 2, 4, 5, 6]).Length);
        Assert.Equal(3, kept.Find([1, 2, 3]).Length);
        Assert.Equal((null, 0), kept.Find([9]));
        Assert.True(kept.DropOldest());
        Assert.Equal(2, kept.Find([1, 2, 4, 5]).Length);
        Assert.True(kept.DropOldest());
        Assert.False(kept.DropOldest());
    }

    private static void Keep(KeptCaches kept, LanguageModel model, int[] tokens)
    {
        using var cache = model.CreateCache();
        using var pass = model.CreatePass(8, 1);
        var batch = new ForwardBatch();
        batch.Add(cache, tokens, 0);
        pass.Run(batch);
        kept.Keep(tokens, cache);
    }
}
