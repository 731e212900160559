using Forerun.Cloud;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Cloud;

/// <summary>What shares a pass, counted pass by pass; no clock is looked at.</summary>
public class FairnessTests
{
    private static readonly GenerationRequest Plain = new()
    {
        PromptTokens = [5],
        Mode = DecodingMode.Autoregressive,
        IgnoreEndTokens = true,
    };

    [Fact]
    public async Task ReadySessions_ShareEveryPass()
    {
        var passes = await RunAsync(
            new(), [.. Enumerable.Range(0, 6).Select(i => Plain with { PromptTokens = [5 + i], MaxTokens = 9 })]);

        // The first session is alone in the first pass; the others end one pass later.
        Assert.Equal([(1, 0, 1), .. Enumerable.Repeat((6, 0, 6), 8), (5, 0, 5)], passes);
    }

    [Fact]
    public async Task LongPrompt_HoldsUpTheOthersByOneChunk()
    {
        const int chunk = 16;
        var others = Enumerable.Range(0, 3).Select(i => Plain with { PromptTokens = [5 + i], MaxTokens = 150 });
        var prompt = Plain with { PromptTokens = Generations.Prompt(seed: 1, 1901), MaxTokens = 1 };
        var passes = await RunAsync(new() { MaxPrefillRows = chunk }, [.. others, prompt]);
        var prefilling = passes.Where(pass => pass.PromptRows > 0).ToArray();
        Assert.Equal((1900 + chunk - 1) / chunk, prefilling.Length);
        Assert.All(prefilling, pass =>
        {
            // Every one of the others has its verdict in every pass; the prompt's last chunk brings its own verdict too.
            Assert.InRange(pass.PromptRows, 1, chunk);
            Assert.Equal(4, pass.Sessions);
            Assert.InRange(pass.Rows - pass.PromptRows, 3, 4);
        });
        Assert.Equal(Enumerable.Range(1, prefilling.Length), passes.Index().Where(pass => pass.Item.PromptRows > 0)
            .Select(pass => pass.Index));
    }

    [Fact]
    public async Task FullPasses_StarveNobody()
    {
        var others = Enumerable.Range(0, 25).Select(i => Plain with { PromptTokens = [5 + i], MaxTokens = 30 });
        var prompt = Plain with { PromptTokens = Generations.Prompt(seed: 1, 120), MaxTokens = 1 };
        var passes = await RunAsync(
            new() { MaxRows = 17, MaxPrefillRows = 17, MaxSessions = 40 },
            [.. others, prompt, prompt with { PromptTokens = Generations.Prompt(seed: 2, 120) }]);

        // From the second pass, the first with everybody in it, to the last that had prompt rows.
        var busy = passes[1..passes.ToList().FindLastIndex(pass => pass.PromptRows > 0)];
        Assert.InRange(busy.Length, 10, 40);
        foreach (var (before, after) in busy.Zip(busy.Skip(1)))
        {
            Assert.True(before.PromptRows + after.PromptRows > 0, "Two passes without rows of the waiting prompts.");
            Assert.True(
                before.Rows - before.PromptRows + after.Rows - after.PromptRows > 0, "Two passes without a verdict.");
        }
    }

    /// <summary>Opens everything while the first pass, of the first request alone, is held.</summary>
    private static async Task<(int Rows, int PromptRows, int Sessions)[]> RunAsync(
        SchedulerOptions options, GenerationRequest[] requests)
    {
        var log = new PassLog();
        using var time = new GatedTime(holdAt: 2);
        using var scheduler = new VerificationScheduler(TinyModels.Target, options, time, log);
        var verifier = new LocalVerifier(scheduler);
        var generations = requests[..1].Select(request => Generations.AssertTextAsync(verifier, request)).ToList();
        time.WaitUntilHeld();
        generations.AddRange(requests[1..].Select(request => Generations.AssertTextAsync(verifier, request)));
        time.Release();
        await Task.WhenAll(generations);
        return log.Passes;
    }
}
