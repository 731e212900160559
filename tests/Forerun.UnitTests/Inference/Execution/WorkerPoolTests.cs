using CsCheck;
using Forerun.Inference.Execution;

namespace Forerun.UnitTests.Inference.Execution;

public class WorkerPoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyTimes_EveryWorkerOncePerRun(int count)
    {
        using var pool = new WorkerPool(count);
        var runs = new int[count];
        for (var run = 1; run <= 200; run++)
        {
            pool.Run(worker => Interlocked.Increment(ref runs[worker]));
            Assert.All(runs, done => Assert.Equal(run, done));
        }
    }

    [Fact]
    public void Barrier_NobodyPassesBeforeAllHaveCome() => Gen.Select(Gen.Int[1, 4], Gen.Int[1, 20]).Sample(
        (count, barriers) =>
        {
            using var pool = new WorkerPool(count);
            var (arrived, early) = (0, 0);
            pool.Run(_ =>
            {
                var passed = 0;
                for (var barrier = 1; barrier <= barriers; barrier++)
                {
                    Interlocked.Increment(ref arrived);
                    pool.Barrier(ref passed);
                    if (Volatile.Read(ref arrived) < count * barrier)
                    {
                        Interlocked.Increment(ref early);
                    }
                }
            });
            return early == 0 && arrived == count * barriers;
        },
        iter: 30,
        threads: 1);

    [Fact]
    public void Run_AfterAPause_WakesTheSleepingWorkers()
    {
        using var pool = new WorkerPool(3);
        var threads = Threads(pool);
        for (var run = 0; run < 3; run++)
        {
            for (var i = 0; i < 100 && !threads[1..].All(IsAsleep); i++)
            {
                Pause();
            }

            Assert.All(threads[1..], thread => Assert.True(IsAsleep(thread), "An idle worker must sleep."));
            var done = 0;
            pool.Run(_ => Interlocked.Increment(ref done));
            Assert.Equal(3, done);
        }
    }

    [Fact]
    public async Task Run_SeveralCallers_TakeTurns()
    {
        using var pool = new WorkerPool(2);
        var (inside, most, total) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                for (var run = 0; run < 50; run++)
                {
                    pool.Run(_ =>
                    {
                        most = Math.Max(most, Interlocked.Increment(ref inside));
                        Interlocked.Increment(ref total);
                        Interlocked.Decrement(ref inside);
                    });
                }
            },
            TestContext.Current.CancellationToken)));
        Assert.Equal(4 * 50 * 2, total);
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public void Dispose_EndsTheThreads()
    {
        var pool = new WorkerPool(3);
        var threads = Threads(pool);

        pool.Dispose();
        pool.Dispose();

        Assert.All(threads[1..], thread => Assert.True(thread.Join(TimeSpan.FromSeconds(20)), "A worker lives on."));
        Assert.Throws<ObjectDisposedException>(() => pool.Run(_ => { }));
    }

    [Fact]
    public void Dispose_WhileTheWorkersSleep_EndsTheThreads()
    {
        var pool = new WorkerPool(2);
        var threads = Threads(pool);
        Pause();
        pool.Dispose();
        Assert.True(threads[1].Join(TimeSpan.FromSeconds(20)), "A worker lives on.");
    }

    [Fact]
    public void Constructor_NoWorkers_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new WorkerPool(0));

    private static Thread[] Threads(WorkerPool pool)
    {
        var threads = new Thread[pool.Count];
        pool.Run(worker => threads[worker] = Thread.CurrentThread);
        return threads;
    }

    private static bool IsAsleep(Thread thread) => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin);

    private static void Pause()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(50, TestContext.Current.CancellationToken);
    }
}
