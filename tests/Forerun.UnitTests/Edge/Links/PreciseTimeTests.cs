using Forerun.Edge.Links;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge.Links;

/// <summary>Real time, of which only lower bounds are sure: where a test needs two things to happen soon after each other, it
/// looks whether they did, and else tries again.</summary>
public class PreciseTimeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Later = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    private readonly TimeProvider _time = PreciseTime.Instance;

    [Theory]
    [InlineData(0.05)]
    [InlineData(1)]
    [InlineData(20)]
    public async Task CreateTimer_RingsNotBeforeItIsDue(double milliseconds)
    {
        var due = TimeSpan.FromMilliseconds(milliseconds);
        for (var i = 0; i < 5; i++)
        {
            var start = _time.GetTimestamp();
            using var bell = new Bell(_time, due);
            Assert.True(_time.GetElapsedTime(start, await bell.RangAtAsync()) >= due);
        }
    }

    [Fact]
    public async Task CreateTimer_Several_RingInOrderOfDueTime()
    {
        while (true)
        {
            var start = _time.GetTimestamp();
            using var later = new Bell(_time, Later);
            using var soon = new Bell(_time, Soon);
            var hasLost = _time.GetElapsedTime(start) >= Later - Soon;
            var (laterAt, soonAt) = (await later.RangAtAsync(), await soon.RangAtAsync());
            if (!hasLost)
            {
                Assert.True(soonAt < laterAt);
                return;
            }
        }
    }

    [Fact]
    public async Task Change_WaitingTimer_RingsAtTheNewTime()
    {
        using var sooner = new Bell(_time, Never);
        Assert.True(sooner.Timer.Change(Soon, Timeout.InfiniteTimeSpan));
        await sooner.RangAtAsync();

        while (true)
        {
            var start = _time.GetTimestamp();
            using var bell = new Bell(_time, Soon);
            var changed = _time.GetTimestamp();
            bell.Timer.Change(Later, Timeout.InfiniteTimeSpan);
            var hasLost = _time.GetElapsedTime(start) >= Soon;
            var rangAt = await bell.RangAtAsync();
            if (!hasLost)
            {
                Assert.True(_time.GetElapsedTime(changed, rangAt) >= Later);
                return;
            }
        }
    }

    [Fact]
    public async Task Dispose_WaitingTimer_NeverRings()
    {
        while (true)
        {
            var start = _time.GetTimestamp();
            var bell = new Bell(_time, Soon);
            bell.Dispose();
            var hasLost = _time.GetElapsedTime(start) >= Soon;
            using var after = new Bell(_time, Soon);
            await after.RangAtAsync();
            if (!hasLost)
            {
                Assert.False(bell.HasRung);
                return;
            }
        }
    }

    [Fact]
    public void Change_Period_IsRefused()
    {
        using var bell = new Bell(_time, Never);
        Assert.Equal(
            "A precise timer rings once: expected an infinite period.",
            Assert.Throws<NotSupportedException>(() => bell.Timer.Change(Soon, Soon)).Message);
    }

    /// <summary>A timer, and when it first rang.</summary>
    private sealed class Bell : IDisposable
    {
        private readonly TaskCompletionSource<long> _rang = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Bell(TimeProvider time, TimeSpan due) =>
            Timer = time.CreateTimer(_ => _rang.TrySetResult(time.GetTimestamp()), null, due, Timeout.InfiniteTimeSpan);

        public ITimer Timer { get; }

        public bool HasRung => _rang.Task.IsCompleted;

        public Task<long> RangAtAsync() => _rang.Task.WaitAsync(Deadline.Token);

        public void Dispose() => Timer.Dispose();
    }
}
