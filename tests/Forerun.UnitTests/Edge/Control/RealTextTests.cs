using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Mode auto with real texts and the real draft model in worlds of scripted times: what it loses while it learns, on few short
/// texts of three kinds, without any machine's noise.</summary>
public class RealTextTests(RealTexts texts, ITestOutputHelper output) : IClassFixture<RealTexts>
{
    private static readonly DecodingMode[] Fixed = [DecodingMode.Autoregressive, DecodingMode.Asynchronous, DecodingMode.Pipelined];

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

    private async Task CheckAsync(string world, WorldTimes times, double most)
    {
        var (best, mode) = (double.MaxValue, default(DecodingMode));
        foreach (var one in Fixed)
        {
            var ms = await MsPerTokenAsync(times, one);
            (best, mode) = ms < best ? (ms, one) : (best, mode);
        }

        var auto = await MsPerTokenAsync(times, DecodingMode.Auto);
        output.WriteLine($"{world}: {mode} {best:0.00}, auto {auto:0.00} ms/token, {auto / best:0.000}");
        Assert.True(auto < best * most, $"{world}: {mode} {best:0.00}, auto {auto:0.00}");
    }

    /// <summary>One decoder over all texts, from the first one on; per token after the first round.</summary>
    private async Task<double> MsPerTokenAsync(WorldTimes times, DecodingMode mode)
    {
        var clock = new FakeTimeProvider();
        var target = new TimedTarget([], times, clock);
        var drafter = new TimedDrafter(texts.Drafter, times, clock, branchCost: 0) { Drafted = () => target.HasDrafted = true };
        var decoder = new EdgeDecoder(target, drafter, timeProvider: clock);
        var (time, tokens) = (TimeSpan.Zero, 0);
        foreach (var (prompt, answer) in texts.Texts)
        {
            target.Text = answer;
            var request = new GenerationRequest { PromptTokens = prompt, MaxTokens = answer.Length, Mode = mode, IgnoreEndTokens = true };
            List<int> decoded = [];
            await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
            {
                (time, tokens) = decoded.Count == 0
                    ? (time, tokens)
                    : (time + round.DraftTime + round.WaitTime, tokens + round.Tokens.Length);
                decoded.AddRange(round.Tokens);
            }

            Assert.Equal(answer, decoded);
        }

        return time.TotalMilliseconds / tokens;
    }
}
