using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;

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
    public Task LongPrompt_HoldsUpTheOthersByOneChunk() => AssertOneChunkAsync(TinyModels.LongTarget);

    [Fact]
    [Trait("Category", "Full")]
    public async Task LongPrompt_BundledTarget_HoldsUpTheOthersByOneChunk()
    {
        using var target = LanguageModel.Load(
            Repository.Path("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"), new() { Threads = 1 });
        await AssertOneChunkAsync(target);
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

    /// <summary>A prompt of 6,000 tokens beside three generations: every one of these has its verdict in every pass.
    /// </summary>
    private static async Task AssertOneChunkAsync(LanguageModel target)
    {
        const int tokens = 6000;
        var options = SchedulerOptions.Default;
        var others = Enumerable.Range(0, 3).Select(i => Plain with { PromptTokens = [5 + i], MaxTokens = 60 });
        var prompt = Plain with { PromptTokens = Generations.Prompt(seed: 1, tokens), MaxTokens = 1 };
        var passes = await RunAsync(options, [.. others, prompt], target);
        var prefilling = passes.Where(pass => pass.PromptRows > 0).ToArray();
        Assert.Equal(tokens - 1, prefilling.Sum(pass => pass.PromptRows));
        Assert.All(prefilling, pass =>
        {
            Assert.InRange(pass.PromptRows, 1, options.MaxPrefillRows);
            Assert.Equal(4, pass.Sessions);

            // The prompt's last chunk brings its own verdict too.
            Assert.InRange(pass.Rows - pass.PromptRows, 3, 4);
        });
        Assert.Equal(
            Enumerable.Range(1, prefilling.Length),
            passes.Index().Where(pass => pass.Item.PromptRows > 0).Select(pass => pass.Index));
    }

    /// <summary>Opens everything while the first pass, of the first request alone, is held.</summary>
    private static async Task<(int Rows, int PromptRows, int Sessions)[]> RunAsync(
        SchedulerOptions options, GenerationRequest[] requests, LanguageModel? target = null)
    {
        var deadline = target is null ? Deadline.Token : Deadline.Extended;
        var log = new PassLog();
        using var time = new GatedTime(holdAt: 2);
        using var scheduler = new VerificationScheduler(target ?? TinyModels.Target, options, time, log);
        var verifier = new LocalVerifier(scheduler);
        var generations = requests[..1].Select(request => AssertTextAsync(request)).ToList();
        time.WaitUntilHeld();
        generations.AddRange(requests[1..].Select(request => AssertTextAsync(request)));
        time.Release();
        await Task.WhenAll(generations);
        return log.Passes;

        // A long prompt's text is not compared: a plain loop takes one pass for each of its tokens.
        Task AssertTextAsync(GenerationRequest request) => request.PromptTokens.Length > 1000
            ? new EdgeDecoder(verifier).CompleteAsync(request, deadline)
            : Generations.AssertTextAsync(verifier, request, target: target, deadline: deadline);
    }
}
