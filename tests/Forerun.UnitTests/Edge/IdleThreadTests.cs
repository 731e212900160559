using Forerun.Edge.PreDrafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

public class IdleThreadTests
{
    [Fact]
    public async Task RunAsync_SeveralPiecesOfWork_RunsThemOnOneThreadOfItsOwn()
    {
        using var idle = new IdleThread();
        var thread = await RunAsync(idle, () => Thread.CurrentThread);
        Assert.NotEqual(Thread.CurrentThread, thread);
        Assert.False(thread.IsThreadPoolThread);
        Assert.Equal((thread, 7), await RunAsync(idle, () => (Thread.CurrentThread, 7)));
    }

    [Fact]
    public async Task RunAsync_WorkThrows_ThrowsItHereAndWorksOn()
    {
        using var idle = new IdleThread();
        var thrown = new InvalidOperationException("no");
        Assert.Same(thrown, await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync<int>(idle, () => throw thrown)));
        Assert.Equal(3, await RunAsync(idle, () => 3));
    }

    [Fact]
    public async Task Dispose_OnceOrTwice_EndsTheThread()
    {
        var idle = new IdleThread();
        var thread = await RunAsync(idle, () => Thread.CurrentThread);
        idle.Dispose();
        Assert.True(thread.Join(TimeSpan.FromSeconds(20)), "The thread lives on.");
        idle.Dispose();
    }

    [Fact]
    public async Task RunAsync_OnLinux_EverythingElseGoesFirst()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has the policy SCHED_IDLE.");
        using var idle = new IdleThread();
        Assert.Equal(ThreadStat.SchedIdle, (await RunAsync(idle, () => ThreadStat.Read("/proc/thread-self")))!.Policy);
    }

    private static Task<T> RunAsync<T>(IdleThread idle, Func<T> work) => idle.RunAsync(work).WaitAsync(Deadline.Token);
}
