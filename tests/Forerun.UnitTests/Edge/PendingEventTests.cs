using System.Threading.Tasks.Sources;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

public class PendingEventTests
{
    private static readonly Verdict Verdict = new(1, 0, 20, default);

    [Fact]
    public async Task TakeAsync_VerdictHasCome_IsUrgentAndReadOnce()
    {
        var source = new Source();
        source.Set(Verdict);
        var pending = new PendingEvent(source.Read());
        Assert.True(pending.HasCome);
        Assert.True(pending.IsUrgent);
        Assert.True(pending.HasCome);
        Assert.Same(Verdict, await pending.TakeAsync().WaitAsync(Deadline.Token));
        Assert.Equal(1, source.Reads);
    }

    [Fact]
    public async Task TakeAsync_ComesLater_WaitsAndReadsOnce()
    {
        var source = new Source();
        var pending = new PendingEvent(source.Read());
        Assert.False(pending.HasCome);
        Assert.False(pending.IsUrgent);
        var taking = pending.TakeAsync();
        Assert.False(taking.IsCompleted);
        source.Set(Verdict);
        Assert.Same(Verdict, await taking.WaitAsync(Deadline.Token));
        Assert.Equal(1, source.Reads);
    }

    [Fact]
    public void HasCome_ComesBetweenTwoLooks_IsSeenByTheSecond()
    {
        var source = new Source();
        var pending = new PendingEvent(source.Read());
        Assert.False(pending.IsUrgent);
        source.Set(Verdict);
        Assert.True(pending.IsUrgent);
    }

    [Fact]
    public async Task IsUrgent_Announcement_IsAHintThatHasCome()
    {
        var source = new Source();
        var announcement = new Announcement(1, 2, 0, 20, 0.5f);
        source.Set(announcement);
        var pending = new PendingEvent(source.Read());
        Assert.False(pending.IsUrgent);
        Assert.True(pending.HasCome);
        Assert.Same(announcement, await pending.TakeAsync().WaitAsync(Deadline.Token));
    }

    [Fact]
    public async Task TakeAsync_Failed_IsUrgentAndThrows()
    {
        var source = new Source();
        source.Fail(new IOException("gone"));
        var pending = new PendingEvent(source.Read());
        Assert.True(pending.IsUrgent);
        await Assert.ThrowsAsync<IOException>(() => pending.TakeAsync().WaitAsync(Deadline.Token));
        Assert.Equal(1, source.Reads);
    }

    /// <summary>Gives its event once, as a network stream's does.</summary>
    private sealed class Source : IValueTaskSource<VerificationEvent>
    {
        private ManualResetValueTaskSourceCore<VerificationEvent> _core;

        public int Reads { get; private set; }

        public ValueTask<VerificationEvent> Read() => new(this, _core.Version);

        public void Set(VerificationEvent come) => _core.SetResult(come);

        public void Fail(Exception exception) => _core.SetException(exception);

        public VerificationEvent GetResult(short token)
        {
            Reads++;
            return _core.GetResult(token);
        }

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);
    }
}
