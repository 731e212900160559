using Forerun.Cloud;
using Forerun.Core.Decoding;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Cloud;

/// <summary>An edge that is connected and says nothing does not keep its place for ever.</summary>
public class SilentEdgeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AlmostLimit = Limit - TimeSpan.FromSeconds(1);

    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = [5],
        Mode = DecodingMode.Speculative,
        IgnoreEndTokens = true,
    };

    [Fact]
    public async Task Silence_LongerThanTheLimit_EndsTheSession()
    {
        var time = new FakeTimeProvider();
        using var scheduler = new VerificationScheduler(TinyModels.Target, timeProvider: time);
        await using var verification = scheduler.Open(Request);
        await DecideAsync(verification, 1);
        time.Advance(AlmostLimit);
        Assert.Equal(1, scheduler.SessionCount);
        time.Advance(Limit / 2);
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => verification.ReadAsync(Deadline.Token).AsTask());
        Assert.Equal(VerificationErrorCode.SessionLost, exception.Error.Code);
        Assert.Equal(
            "The edge was silent for too long; the server ended the session. Open a new one with the whole history as its "
            + "prompt. Expected a draft or a keep-alive within 300 s, got none.",
            exception.Message);
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task DraftsAndKeepAlives_BeforeTheLimit_KeepTheSession()
    {
        var time = new FakeTimeProvider();
        using var scheduler = new VerificationScheduler(TinyModels.Target, timeProvider: time);
        await using var verification = scheduler.Open(Request);
        for (var round = 1; round <= 5; round++)
        {
            await DecideAsync(verification, round);
            time.Advance(AlmostLimit);
            verification.Hear();
            Assert.IsType<SignOfLife>(await verification.ReadAsync(Deadline.Token));
            time.Advance(AlmostLimit);
        }

        Assert.Equal(1, scheduler.SessionCount);
    }

    [Fact]
    public async Task KeepAlives_ThatNobodyReadsTheAnswerOf_AreAnsweredOnce()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        await using var verification = scheduler.Open(Request);
        for (var i = 0; i < 1000; i++)
        {
            verification.Hear();
        }

        Assert.IsType<SignOfLife>(await verification.ReadAsync(Deadline.Token));
        verification.Hear();
        Assert.IsType<SignOfLife>(await verification.ReadAsync(Deadline.Token));
        await DecideAsync(verification, 1);
    }

    [Fact]
    public async Task NoLimit_NoSilenceIsTooLong()
    {
        var time = new FakeTimeProvider();
        using var scheduler = new VerificationScheduler(
            TinyModels.Target, new() { IdleLimit = Timeout.InfiniteTimeSpan }, time);
        await using var verification = scheduler.Open(Request);
        time.Advance(TimeSpan.FromDays(3));
        Assert.Equal(1, scheduler.SessionCount);
    }

    [Fact]
    public void Limit_BelowASecond_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(
        () => new VerificationScheduler(TinyModels.Target, new() { IdleLimit = TimeSpan.Zero }));

    /// <summary>A round with an empty draft; then the server waits for the next one.</summary>
    private static async Task DecideAsync(LocalVerification verification, int round)
    {
        await verification.SendAsync(new Draft(round, round, []), Deadline.Token);
        Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token));
    }
}
