using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Emulation;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Inference.Drafting;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Exits;

namespace Forerun.UnitTests.Emulation;

/// <summary>Emulated times change when things happen, never what is written.</summary>
public class EmulationTests
{
    private static readonly EmulatedProfile Profile = EmulatedProfileFile.Find("a100+jetson-nano");

    public static TheoryData<DecodingMode, ulong> Cases => new(
        from mode in new[] { DecodingMode.Autoregressive, DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined }
        from seed in new[] { 0UL, 5UL }
        select (mode, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_EmulatedBothSides_WritesThePlainLoopsText(DecodingMode mode, ulong seed)
    {
        var request = new GenerationRequest
        {
            PromptTokens = TinyModels.Prompt,
            MaxTokens = 24,
            Mode = mode,
            Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed),
        };
        using var exits = Exits();
        using var scheduler = Scheduler(new WaitingTime(), exits);
        using var drafter = new EmulatedDrafter(new ModelDrafter(TinyModels.Draft), Profile, new WaitingTime());
        var generation = await new EdgeDecoder(new LocalVerifier(scheduler), drafter).CompleteAsync(request, Deadline.Token);
        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, request), generation.Tokens);
        Assert.Equal(mode == DecodingMode.Autoregressive, drafter.Calls == 0);
    }

    [Fact]
    public async Task Generate_Autoregressive_EveryPassTakesTheProfilesTime()
    {
        using var scheduler = Scheduler(new WaitingTime(), null);
        var request = new GenerationRequest { PromptTokens = TinyModels.Prompt, MaxTokens = 10, Mode = DecodingMode.Autoregressive };
        await foreach (var round in new EdgeDecoder(new LocalVerifier(scheduler)).GenerateAsync(request, Deadline.Token))
        {
            Assert.InRange(round.ServerTimings.Compute.TotalMilliseconds, 522, 523);
        }
    }

    [Fact]
    public async Task Read_Verdict_StagesBetweenExitsTookTimeByTheirLayers()
    {
        var time = new WaitingTime();
        using var exits = Exits();
        using var scheduler = Scheduler(time, exits);
        var request = new GenerationRequest { PromptTokens = TinyModels.Prompt, MaxTokens = 8, Mode = DecodingMode.Preemptive };
        await using var verification = await new LocalVerifier(scheduler).OpenAsync(request, Deadline.Token);
        await verification.SendAsync(new Draft(1, TinyModels.Prompt.Length, [7, 8, 9, 10]), Deadline.Token);
        while (await verification.ReadAsync(Deadline.Token) is Announcement announcement)
        {
            Assert.Contains(announcement.ExitLayer, new[] { 1, 3 });
        }

        // 4 layers, exits after 1 and 3: a quarter, two quarters, a quarter. The end of each wait is spun.
        var waits = time.WaitsMs.ToArray()[^3..];
        Assert.All(waits.Zip([522 / 4.0, 522 / 2.0, 522 / 4.0]), wait => Assert.InRange(wait.Second - wait.First, 1, 2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Extend_ManyBranches_TakeOneStepTogether(int count)
    {
        var time = new WaitingTime();
        using var drafter = new EmulatedDrafter(new ModelDrafter(TinyModels.Draft), Profile, time);
        using var plain = new ModelDrafter(TinyModels.Draft);
        var request = new GenerationRequest { PromptTokens = TinyModels.Prompt };
        drafter.Begin(request);
        plain.Begin(request);
        var branches = Enumerable.Range(0, count).Select(i => Branch(i)).ToArray();
        var expected = Enumerable.Range(0, count).Select(i => Branch(i)).ToArray();
        for (var step = 1; step <= 2; step++)
        {
            drafter.Extend(branches);
            plain.Extend(expected);
            Assert.InRange(time.Now.TotalMilliseconds, 75.25 * step, (75.25 * step) + 0.1);
        }

        Assert.Equal(expected.Select(branch => branch.Drafted.ToArray()), branches.Select(branch => branch.Drafted.ToArray()));
        Assert.Equal((2, 0), (drafter.Calls, drafter.Overruns));
        foreach (var branch in branches.Concat(expected))
        {
            branch.Dispose();
        }

        static DraftBranch Branch(int i)
        {
            var branch = new DraftBranch();
            branch.Follow([.. TinyModels.Prompt, 20 + i], 4);
            return branch;
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    public void Extend_Interrupted_EndsAfterAQuarterOfTheStep(int quietLooks, int quarters)
    {
        var time = new WaitingTime();
        using var drafter = new EmulatedDrafter(new ModelDrafter(TinyModels.Draft), Profile, time);
        using var branch = new DraftBranch();
        drafter.Begin(new GenerationRequest { PromptTokens = TinyModels.Prompt });
        branch.Follow(TinyModels.Prompt.AsSpan(), 4);
        var looks = 0;
        drafter.Extend(new ReadOnlySpan<DraftBranch>(in branch), () => looks++ == quietLooks);
        Assert.InRange(time.Now.TotalMilliseconds, 75.25 * quarters / 4, (75.25 * quarters / 4) + 0.2);
        Assert.Equal((quarters == 4 ? 1 : 0, quarters == 4 ? 1 : 0), (branch.Count, drafter.Calls));
    }

    [Fact]
    public void Propose_FourTokens_TakeTheProfilesDraftTime()
    {
        var time = new WaitingTime();
        using var drafter = new EmulatedDrafter(new ModelDrafter(TinyModels.Draft), Profile, time);
        drafter.Begin(new GenerationRequest { PromptTokens = TinyModels.Prompt, IgnoreEndTokens = true });
        Assert.Equal(4, drafter.Propose(TinyModels.Prompt.AsSpan(), new int[4]));
        Assert.InRange(time.Now.TotalMilliseconds, 301, 301.1);
    }

    [Fact]
    public void Propose_NothingToSay_CostsAStep()
    {
        var time = new WaitingTime();
        using var drafter = new EmulatedDrafter(new NgramDrafter(), Profile, time);
        Assert.Equal(0, drafter.Propose([1, 2, 3], new int[4]));
        Assert.InRange(time.Now.TotalMilliseconds, 75.25, 75.35);
    }

    private static ExitHeads Exits() => new(RandomExits.File(TinyModels.Target, 1, 3), TinyModels.Target);

    private static VerificationScheduler Scheduler(TimeProvider time, ExitHeads? exits) => new(
        TinyModels.Target,
        new SchedulerOptions { Emulated = Profile, ExitThreshold = 0 },
        time,
        exits: exits);
}
