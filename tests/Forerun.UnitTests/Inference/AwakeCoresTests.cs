using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Inference;

/// <summary>The threads that keep cores awake, as the system lists them.</summary>
public class AwakeCoresTests
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = Cloud.TinyModels.Prompt,
        MaxTokens = 4,
        Mode = DecodingMode.Autoregressive,
    };

    [Fact]
    public async Task Constructor_SeveralInstances_SpinUntilTheLastIsDisposed()
    {
        SkipElsewhere();
        var first = new AwakeCores();
        await UntilAsync(spinning => spinning.Length > 0 && spinning.All(IsIdle));
        var threads = Spinning().Order();
        var second = new AwakeCores();
        first.Dispose();
        first.Dispose();
        Assert.Equal(threads, Spinning().Order());
        second.Dispose();
        await UntilAsync(spinning => spinning.Length == 0);
    }

    [Fact]
    public async Task Generate_KeepAwake_SpinsWhileItRuns()
    {
        SkipElsewhere();
        using var scheduler = new VerificationScheduler(Cloud.TinyModels.Target);
        var decoder = new EdgeDecoder(new LocalVerifier(scheduler), options: new() { KeepAwake = true });
        await using (var rounds = decoder.GenerateAsync(Request, Deadline.Token).GetAsyncEnumerator(TestContext.Current.CancellationToken))
        {
            Assert.True(await rounds.MoveNextAsync());
            await UntilAsync(spinning => spinning.Length > 0);
        }

        await UntilAsync(spinning => spinning.Length == 0);
    }

    [Fact]
    public async Task Open_KeepAwake_SpinsWhileAnySessionIsOpen()
    {
        SkipElsewhere();
        using var scheduler = new VerificationScheduler(Cloud.TinyModels.Target, new() { KeepAwake = true });
        Assert.Empty(Spinning());
        await using (var first = scheduler.Open(Request with { Mode = DecodingMode.Speculative }))
        {
            await Generations.AssertTextAsync(new LocalVerifier(scheduler), Request);
            await UntilAsync(spinning => spinning.Length > 0);
        }

        await UntilAsync(spinning => spinning.Length == 0);
    }

    private static void SkipElsewhere() =>
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux has threads that everything else goes before.");

    private static string[] Spinning() =>
        [.. Directory.GetDirectories("/proc/self/task").Where(thread => ThreadStat.Read(thread)?.Name == AwakeCores.ThreadName)];

    private static bool IsIdle(string thread) => ThreadStat.Read(thread)?.Policy == ThreadStat.SchedIdle;

    private static async Task UntilAsync(Predicate<string[]> condition)
    {
        var deadline = Deadline.Token;
        while (!condition(Spinning()))
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
