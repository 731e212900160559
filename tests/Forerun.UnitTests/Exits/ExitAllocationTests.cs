using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Exits;

/// <summary>An announcement allocates nothing after warm-up.</summary>
[Collection(nameof(AllocationTests))]
public class ExitAllocationTests
{
    [Theory]
    [InlineData(0f)]
    [InlineData(0.8f)]
    public void Announce_AfterWarmUp_AllocatesNothing(float temperature)
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q4_1");
        using var heads = new ExitHeads(RandomExits.File(target, 1), target);
        using var scratch = heads.CreateScratch(5, 4);
        var announcer = new ExitAnnouncer(
            heads, new SamplingOptions { Temperature = temperature }, new GenerationLimits(200, 8, 100));
        var tokens = TinyModels.Tokens(1, 12);
        var hidden = RandomExits.Hidden(target, 1, tokens).Hidden.AsSpan(7 * target.Config.HiddenSize);
        var sum = 0f;
        for (var i = 0; i < 100; i++)
        {
            sum += announcer.Announce(scratch, 0, hidden, tokens, 8).Confidence;
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++)
        {
            sum += announcer.Announce(scratch, 0, hidden, tokens, 8).Confidence;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(sum > 0);
    }
}
