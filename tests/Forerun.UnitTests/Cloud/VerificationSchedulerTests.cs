using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Cloud;

public class VerificationSchedulerTests
{
    private static readonly ImmutableArray<int> LongPrompt = [.. Enumerable.Range(0, 100).Select(i => 100 + (i * 3))];

    private static readonly GenerationRequest Plain = new()
    {
        PromptTokens = TinyModels.Prompt,
        Mode = DecodingMode.Autoregressive,
        MaxTokens = 12,
        IgnoreEndTokens = true,
    };

    [Fact]
    public async Task Open_Autoregressive_WritesThePlainLoopsText()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Plain);
        var (tokens, end) = await ReadAllAsync(verification);
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, Plain), tokens);
        Assert.Equal((FinishReason.Length, 12), (end.Reason, end.Usage.OutputTokens));
        Assert.Equal((12, 12), (end.Usage.Rounds, end.Usage.TargetPasses));
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task Open_ManySessions_EachHasItsOwnText()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target, new() { MaxRows = 24, MaxPrefillRows = 7 });
        var requests = Enumerable.Range(0, 8).Select(i => Plain with
        {
            PromptTokens = LongPrompt[..(5 + (i * 9))],
            MaxTokens = 5 + i,
            Sampling = TinyModels.Sampled((ulong)i),
        }).ToArray();
        var generations = requests.Select(request => ReadAllAsync(scheduler.Open(request))).ToArray();
        for (var i = 0; i < requests.Length; i++)
        {
            var (tokens, _) = await generations[i];
            Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, requests[i]), tokens);
        }
    }

    [Fact]
    public async Task LongPrompt_ComesInChunks_AndOthersWaitForOneOnly()
    {
        using var time = new GatedTime(holdAt: 2);
        using var scheduler = new VerificationScheduler(
            TinyModels.Target, new() { MaxRows = 17, MaxPrefillRows = 4 }, time);
        await using var slow = scheduler.Open(Plain with { PromptTokens = LongPrompt, MaxTokens = 1 });
        time.WaitUntilHeld();
        await using var quick = scheduler.Open(Plain with { PromptTokens = [5], MaxTokens = 3 });
        time.Release();
        var (_, slowEnd) = await ReadAllAsync(slow);
        Assert.Equal(25, slowEnd.Usage.TargetPasses);
        var verdict = Assert.IsType<Verdict>(await quick.ReadAsync(Deadline.Token));

        // A handful of looks at the clock is one pass; 25 passes would be a hundred.
        Assert.InRange(verdict.Timings.Queue, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));
    }

    [Fact]
    public async Task Cancel_WhileQueued_ComputesNothing()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var time = new GatedTime(holdAt: 2);
        using var scheduler = new VerificationScheduler(target, timeProvider: time);
        await using var running = scheduler.Open(Plain);
        time.WaitUntilHeld();
        var bytes = target.KvBytesInUse;
        var queued = scheduler.Open(Plain);
        Assert.Equal(2, scheduler.SessionCount);
        await queued.DisposeAsync();
        Assert.Equal((1, bytes), (scheduler.SessionCount, target.KvBytesInUse));
        time.Release();
    }

    [Fact]
    public async Task Cancel_WhileRunning_EndsWithThatPass()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q8_0");
        using var time = new GatedTime(holdAt: 2);
        using var scheduler = new VerificationScheduler(target, new() { ReusePrefixes = false }, time);
        var running = scheduler.Open(Plain);
        time.WaitUntilHeld();
        var disposal = running.DisposeAsync();
        Assert.False(disposal.IsCompleted);
        time.Release();
        await disposal;
        Assert.Equal((0, 0L, 3), (scheduler.SessionCount, target.KvBytesInUse, time.TargetLooks));
    }

    [Fact]
    public async Task Submit_DraftWhoseAssumptionHolds_IsVerifiedWithoutWaiting()
    {
        var text = TinyModels.PlainLoop(TinyModels.Target, Plain);
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Plain with { Mode = DecodingMode.Pipelined });
        await verification.SendAsync(new Draft(1, 8, [text[0]]), Deadline.Token);
        await verification.SendAsync(new Draft(2, 10, [text[2]], new(1, 1, (text[1] + 1) % 600)), Deadline.Token);
        await verification.SendAsync(new Draft(2, 10, [text[2], text[3]], new(1, 1, text[1])), Deadline.Token);
        Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token));
        var second = Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token));
        Assert.Equal((2, 2, text[4]), (second.Round, second.AcceptedCount, second.NextToken));
        var drafted = 5;
        for (var round = 3; drafted < text.Length; round++)
        {
            await verification.SendAsync(new Draft(round, 8 + drafted, []), Deadline.Token);
            Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token));
            drafted++;
        }

        var usage = Assert.IsType<GenerationEnd>(await verification.ReadAsync(Deadline.Token)).Usage;
        Assert.Equal((2, 1, 1), (usage.QueuedDrafts, usage.MatchedDrafts, usage.DroppedDrafts));
    }

    [Fact]
    public async Task Submit_WrongDraft_EndsTheSession()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Plain with { Mode = DecodingMode.Speculative });
        await Assert.ThrowsAsync<ProtocolException>(
            () => verification.SendAsync(new Draft(2, 8, []), Deadline.Token).AsTask());
        await Assert.ThrowsAsync<ProtocolException>(() => verification.ReadAsync(Deadline.Token).AsTask());
        await verification.DisposeAsync();
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task Submit_InAutoregressiveMode_IsRefused()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Plain with { MaxTokens = 0 });
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => verification.SendAsync(new Draft(1, 8, []), Deadline.Token).AsTask());
        Assert.Equal(
            "A draft came in autoregressive mode. Open the generation in speculative mode to send drafts. "
            + "Expected no draft, got one of round 1.",
            exception.Message);
    }

    [Theory]
    [InlineData(DecodingMode.Speculative)]
    [InlineData(DecodingMode.Preemptive)]
    public async Task Submit_AssumptionInAModeWithoutThem_IsRefused(DecodingMode mode)
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Plain with { Mode = mode });
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => verification.SendAsync(new Draft(2, 9, [], new(1, 0, 5)), Deadline.Token).AsTask());
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
        Assert.Equal(
            $"A draft with an assumption came in {(mode == DecodingMode.Preemptive ? "preemptive" : "speculative")} mode, in which "
            + "a draft follows a verdict. Open the generation in pipelined mode to send drafts ahead. Expected no assumption, "
            + "got one about round 1.",
            exception.Message);
    }

    [Fact]
    public async Task Open_NoRoom_IsOverloaded()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target, new() { MaxSessions = 1 });
        await using var first = scheduler.Open(Plain with { Mode = DecodingMode.Speculative });
        var exception = Assert.Throws<VerifierUnavailableException>(() => scheduler.Open(Plain));
        Assert.Equal(
            "The server is full. Try again later or elsewhere. Expected at most 1 sessions, got 2.", exception.Message);
    }

    [Fact]
    public async Task Open_AfterTargetFailsForOneSession_GoesOn()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var broken = scheduler.Open(Plain with { PromptTokens = [5], Mode = DecodingMode.Speculative });
        broken.Session.Dispose();
        await broken.SendAsync(new Draft(1, 1, []), Deadline.Token);
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => broken.ReadAsync(Deadline.Token).AsTask());
        Assert.Equal("The target failed; the server's log tells why.", exception.Message);
        await using var next = scheduler.Open(Plain);
        Assert.Equal(12, (await ReadAllAsync(next)).Tokens.Length);
    }

    [Fact]
    public async Task Drain_EndsAtTheRound_AndRefusesNewSessions()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var waiting = scheduler.Open(Plain with { PromptTokens = [5], Mode = DecodingMode.Speculative });
        await using var decoding = scheduler.Open(Plain with { MaxTokens = 0 });
        await scheduler.DrainAsync().WaitAsync(Deadline.Token);
        foreach (var verification in new[] { waiting, decoding })
        {
            var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(() => ReadAllAsync(verification));
            Assert.Equal(VerificationErrorCode.GoingAway, exception.Error.Code);
        }

        Assert.Equal(
            "The server is shutting down. Try again later or elsewhere.",
            Assert.Throws<VerifierUnavailableException>(() => scheduler.Open(Plain)).Message);
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task Dispose_WithSessions_EndsThem()
    {
        var scheduler = new VerificationScheduler(TinyModels.Target);
        var verification = scheduler.Open(Plain with { Mode = DecodingMode.Speculative });
        scheduler.Dispose();
        await Assert.ThrowsAsync<VerifierUnavailableException>(() => verification.ReadAsync(Deadline.Token).AsTask());
        await verification.DisposeAsync();
    }

    [Fact]
    public void Constructor_TooFewRows_Throws() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new VerificationScheduler(TinyModels.Target, new() { MaxRows = 16 }));

    private static async Task<(ImmutableArray<int> Tokens, GenerationEnd End)> ReadAllAsync(
        LocalVerification verification)
    {
        var tokens = ImmutableArray.CreateBuilder<int>();
        var deadline = Deadline.Token;
        while (true)
        {
            switch (await verification.ReadAsync(deadline))
            {
                case Verdict verdict:
                    tokens.Add(verdict.NextToken);
                    break;
                case GenerationEnd end:
                    return (tokens.ToImmutable(), end);
            }
        }
    }
}
