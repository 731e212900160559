using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Mode auto over many real texts, twelve of each kind in a row, on machines that others use too: what it learns must not lead it
/// astray later on.</summary>
public class ManyTextTests(ManyRealTexts texts, ITestOutputHelper output) : IClassFixture<ManyRealTexts>
{
    private const int Machines = 3;
    private const double BranchCost = 0.2;

    /// <summary>The best fixed mode is chosen for each set: mean over the three.</summary>
    [Theory]
    [Trait("Category", "Full")]
    [InlineData("dear rows, one machine", 1.2, 10, 1.5, 1.1, 1.08)]
    [InlineData("dear rows, 5 ms", 1.2, 10, 1.5, 6.3, 1.08)]
    [InlineData("small target, 10 ms", 0.6, 4.2, 0.35, 10.5, 1.1)]
    [InlineData("big target, 20 ms", 10, 55, 0, 20, 1)]
    [InlineData("a100+jetson-nano", 75, 522, 0, 96, 1)]
    public async Task Auto_ManyTextsOnSharedMachines_IsNearlyAsFastAsTheBestFixedMode(
        string world, double draft, double verify, double row, double roundTrip, double beside)
    {
        var times = new WorldTimes(draft, verify, row, roundTrip) { Beside = beside };
        var auto = await MsPerTokenAsync(times, DecodingMode.Auto);
        var others = new List<double[]>();
        foreach (var mode in TimedDecoding.Fixed)
        {
            others.Add(await MsPerTokenAsync(times, mode));
        }

        var ratios = auto.Select((ms, set) => ms / others.Min(other => other[set])).ToArray();
        output.WriteLine($"{world}: {string.Join(", ", ratios.Select(ratio => $"{ratio:0.000}"))} of the best fixed mode");
        Assert.True(ratios.Average() < 1.05, $"{world}: auto takes {ratios.Average():0.000} of the best");
    }

    /// <summary>By set, <c>[3]</c>; mean of several machines.</summary>
    private async Task<double[]> MsPerTokenAsync(WorldTimes times, DecodingMode mode)
    {
        var sums = new double[texts.Texts.Length / ManyRealTexts.PromptsPerSet];
        for (var seed = 0; seed < Machines; seed++)
        {
            var taken = await TimedDecoding.DecodeAsync(
                texts.Drafter, texts.Texts, RealTexts.Length, times with { Shared = new SharedMachine(seed) }, mode, branchCost: BranchCost);
            foreach (var (set, ofSet) in taken.Chunk(ManyRealTexts.PromptsPerSet).Index())
            {
                sums[set] += ofSet.MsPerToken() / Machines;
            }
        }

        return sums;
    }
}
