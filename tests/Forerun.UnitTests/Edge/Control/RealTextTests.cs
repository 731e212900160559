using Forerun.Core.Decoding;
using Forerun.Edge;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Real texts and the real draft model in worlds of scripted times, without any machine's noise: what mode auto loses while it
/// learns, on few short texts of three kinds, and what drafts that end early bring.</summary>
public class RealTextTests(RealTexts texts, ITestOutputHelper output) : IClassFixture<RealTexts>
{
    private const int FirstTokens = 24;

    private static readonly EdgeDecoderOptions Whole = new() { EndsDraftsEarly = false };

    /// <summary>Draft step, verification, row, round trip; how much longer a pass takes beside drafting; most loss.</summary>
    public static TheoryData<string, double, double, double, double, double, double> Worlds => new()
    {
        { "small target, one machine", 0.9, 4.2, 0.35, 0.5, 1.1, 1.05 },
        { "small target, 10 ms", 0.9, 4.2, 0.35, 10, 1.1, 1.05 },
        { "big target, 20 ms", 10, 55, 0, 20, 1, 1.05 },
    };

    public static TheoryData<string, double, double, double, double, double, double> MoreWorlds => new()
    {
        { "small target, 2 ms", 0.9, 4.2, 0.35, 2, 1.1, 1.05 },
        { "small target, 5 ms", 0.9, 4.2, 0.35, 5, 1.1, 1.05 },
        { "small target, 20 ms", 0.9, 4.2, 0.35, 20, 1.1, 1.05 },
        { "small target, 50 ms", 0.9, 4.2, 0.35, 50, 1.1, 1.05 },
        { "dear rows, 5 ms", 4, 20, 1.5, 5, 1, 1.05 },
        { "dear rows, 30 ms", 4, 20, 1.5, 30, 1, 1.05 },
        { "dear rows, 80 ms", 4, 20, 1.5, 80, 1, 1.05 },
        { "big target, one machine", 10, 55, 0, 0.5, 1, 1.05 },
        { "big target, 50 ms", 10, 55, 0, 50, 1, 1.05 },
        { "big target, 100 ms", 10, 55, 0, 100, 1, 1.05 },
        { "a100+jetson-nano", 75, 522, 0, 96, 1, 1.05 },
        { "a100+rtx2080ti", 25, 467, 0, 47, 1, 1.05 },
        { "a100+go2", 72, 620, 0, 120, 1, 1.05 },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public Task Auto_FirstTexts_IsNearlyAsFastAsTheBestFixedMode(
        string world, double draft, double verify, double row, double roundTrip, double beside, double most) =>
        CheckAsync(world, new(draft, verify, row, roundTrip) { Beside = beside }, most);

    [Theory]
    [Trait("Category", "Full")]
    [MemberData(nameof(MoreWorlds))]
    public Task Auto_FirstTextsInMoreWorlds_IsNearlyAsFastAsTheBestFixedMode(
        string world, double draft, double verify, double row, double roundTrip, double beside, double most) =>
        CheckAsync(world, new(draft, verify, row, roundTrip) { Beside = beside }, most);

    /// <summary>Times that others disturb, which is what a controller must not be led astray by; eight machines each.</summary>
    [Theory]
    [Trait("Category", "Full")]
    [InlineData("dear rows, one machine", 1.2, 8.5, 1.4, 1.2, 1.15)]
    [InlineData("small target, 5 ms", 0.9, 4.2, 0.35, 5, 1.1)]
    [InlineData("big target, 20 ms", 10, 55, 0, 20, 1)]
    [InlineData("a100+jetson-nano", 75, 522, 0, 96, 1)]
    public async Task Auto_SharedMachines_IsNearlyAsFastAsTheBestFixedMode(
        string world, double draft, double verify, double row, double roundTrip, double beside)
    {
        var sums = new Dictionary<DecodingMode, double>();
        for (var seed = 0; seed < 8; seed++)
        {
            foreach (var mode in (DecodingMode[])[.. TimedDecoding.Fixed, DecodingMode.Auto])
            {
                var times = new WorldTimes(draft, verify, row, roundTrip) { Beside = beside, Shared = new SharedMachine(seed) };
                sums[mode] = sums.GetValueOrDefault(mode) + await MsPerTokenAsync(times, mode);
            }
        }

        var ratio = sums[DecodingMode.Auto] / TimedDecoding.Fixed.Min(mode => sums[mode]);
        output.WriteLine($"{world}: {string.Join(", ", sums.Select(one => $"{one.Key} {one.Value / 8:0.00}"))} ms/token, {ratio:0.000}");
        Assert.True(ratio < 1.05, $"{world}: auto takes {ratio:0.000} of the best");
    }

    /// <summary>One after the other, and the first 24 tokens of each text alone, by a decoder that knows nothing.</summary>
    [Theory]
    [Trait("Category", "Full")]
    [MemberData(nameof(Worlds))]
    [MemberData(nameof(MoreWorlds))]
    public async Task DraftsThatEndEarly_AreHardlyEverSlowerThanWholeOnes(
        string world, double draft, double verify, double row, double roundTrip, double beside, double most)
    {
        _ = most;
        var times = new WorldTimes(draft, verify, row, roundTrip) { Beside = beside };
        foreach (var mode in new[] { DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined })
        {
            var (whole, wholeFirst) = (await MsPerTokenAsync(times, mode, Whole), await FirstMsPerTokenAsync(times, mode, Whole));
            var (early, earlyFirst) = (await MsPerTokenAsync(times, mode), await FirstMsPerTokenAsync(times, mode));
            output.WriteLine(
                $"{world}: {mode} {whole:0.00}, early {early:0.00} ms/token, {early / whole:0.000}; first {wholeFirst:0.00}, early {earlyFirst:0.00}, {earlyFirst / wholeFirst:0.000}");
            Assert.True(early < whole * 1.03, $"{world}: {mode} {whole:0.00}, early {early:0.00}");
            Assert.True(earlyFirst < wholeFirst * 1.07, $"{world}: {mode}, first tokens: {wholeFirst:0.00}, early {earlyFirst:0.00}");
        }
    }

    /// <summary>Where each branch costs a whole step, and where a step outlasts the wait for the verdict.</summary>
    [Theory]
    [InlineData(DecodingMode.Preemptive, 1)]
    [InlineData(DecodingMode.Pipelined, 1)]
    [InlineData(DecodingMode.Preemptive, 0.3)]
    [InlineData(DecodingMode.Pipelined, 0.3)]
    public async Task DraftingAhead_DearBranches_IsFasterThanWaiting(DecodingMode mode, double branchCost)
    {
        var times = new WorldTimes(DraftMs: 10, VerifyMs: 55, RowMs: 0, RoundTripMs: 20);
        var waiting = await MsPerTokenAsync(times, DecodingMode.Speculative, branchCost: branchCost);
        var ahead = await MsPerTokenAsync(times, mode, branchCost: branchCost);
        output.WriteLine($"{mode} {ahead:0.00} ms/token, {ahead / waiting:0.000} of {waiting:0.00}");
        Assert.True(ahead < waiting, $"{mode} {ahead:0.00}, speculative {waiting:0.00}");
    }

    private async Task CheckAsync(string world, WorldTimes times, double most)
    {
        var (best, mode) = (double.MaxValue, default(DecodingMode));
        foreach (var one in TimedDecoding.Fixed)
        {
            var ms = await MsPerTokenAsync(times, one);
            (best, mode) = ms < best ? (ms, one) : (best, mode);
        }

        var auto = await MsPerTokenAsync(times, DecodingMode.Auto);
        output.WriteLine($"{world}: {mode} {best:0.00}, auto {auto:0.00} ms/token, {auto / best:0.000}");
        Assert.True(auto < best * most, $"{world}: {mode} {best:0.00}, auto {auto:0.00}");
    }

    /// <summary>One decoder over all texts, from the first one on; per token after the first round.</summary>
    private async Task<double> MsPerTokenAsync(
        WorldTimes times, DecodingMode mode, EdgeDecoderOptions? options = null, double branchCost = 0)
    {
        var taken = await TimedDecoding.DecodeAsync(texts.Drafter, texts.Texts, RealTexts.Length, times, mode, options, branchCost);
        return taken.MsPerToken();
    }

    /// <summary>A decoder for each text's beginning; per token after the first round.</summary>
    private async Task<double> FirstMsPerTokenAsync(WorldTimes times, DecodingMode mode, EdgeDecoderOptions? options = null)
    {
        var sum = 0.0;
        foreach (var text in texts.Texts)
        {
            var taken = await TimedDecoding.DecodeAsync(texts.Drafter, [text], FirstTokens, times, mode, options);
            sum += taken.MsPerToken();
        }

        return sum / texts.Texts.Length;
    }
}
