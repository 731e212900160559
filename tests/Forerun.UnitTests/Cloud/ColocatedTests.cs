using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Edge;

namespace Forerun.UnitTests.Cloud;

/// <summary>The server drafts too: the text is the target's own, and the rounds are those of a drafting edge.</summary>
public class ColocatedTests
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 40,
        Mode = DecodingMode.Colocated,
    };

    public static TheoryData<int, ulong> Cases => new(
        from draftLength in Enumerable.Range(1, 8) from seed in new[] { 0UL, 5UL } select (draftLength, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_WritesThePlainLoopsText_InTheRoundsOfADraftingEdge(int draftLength, ulong seed)
    {
        using var scheduler = Start();
        var verifier = new LocalVerifier(scheduler);
        var request = Request with { Sampling = seed == 0 ? SamplingOptions.Default : TinyModels.Sampled(seed) };
        var colocated = (await Generations.AssertTextAsync(verifier, request, draftLength: draftLength)).End.Usage;
        using var drafter = new ModelDrafter(TinyModels.Draft);
        var speculative = (await Generations.AssertTextAsync(
            verifier, request with { Mode = DecodingMode.Speculative }, drafter, draftLength, wholeDrafts: true)).End.Usage;
        Assert.Equal(
            (speculative.Rounds, speculative.DraftedTokens, speculative.AcceptedTokens),
            (colocated.Rounds, colocated.DraftedTokens, colocated.AcceptedTokens));
        Assert.InRange(colocated.DraftedTokens, 1, 8 * 40);
    }

    [Fact]
    public async Task TextGenerator_NeedsNoDrafterOfItsOwn()
    {
        using var scheduler = Start();
        var generator = new TextGenerator(
            new LocalVerifier(scheduler), TinyModels.Target.TextFormat, options: new() { Mode = DecodingMode.Colocated });
        List<int> tokens = [];
        await foreach (var update in generator.GenerateAsync(Request, cancellationToken: Deadline.Token))
        {
            tokens.AddRange(update.Round.Tokens);
        }

        Assert.Equal(TinyModels.PlainLoop(TinyModels.Target, Request), tokens);
        Assert.Throws<ArgumentException>(() => new TextGenerator(
            new LocalVerifier(scheduler), TinyModels.Target.TextFormat, options: new() { Mode = DecodingMode.Pipelined }));
    }

    [Fact]
    public async Task Complete_ManyWithLongPrompts_DraftTogether()
    {
        var log = new PassLog();
        using var scheduler = Start(new() { MaxRows = 40, MaxPrefillRows = 16 }, log);
        var verifier = new LocalVerifier(scheduler);
        await Task.WhenAll(Enumerable.Range(1, 6).Select(seed => Generations.AssertTextAsync(
            verifier,
            Request with
            {
                PromptTokens = Generations.Prompt(seed, seed * 50),
                Sampling = TinyModels.Sampled((ulong)seed),
            },
            draftLength: seed)));
        Assert.Contains(log.Passes, pass => pass.Sessions > 1);
    }

    [Fact]
    public async Task Generate_Round_TellsWhatTheServerDrafted()
    {
        using var scheduler = Start();
        var decoder = new EdgeDecoder(new LocalVerifier(scheduler), options: new() { DraftLength = 3 });
        var rounds = new List<DecodedRound>();
        await foreach (var round in decoder.GenerateAsync(Request with { IgnoreEndTokens = true }, Deadline.Token))
        {
            rounds.Add(round);
        }

        Assert.Equal(3, rounds[0].DraftLength);
        Assert.All(rounds, round => Assert.Equal(round.Tokens.Length, round.AcceptedCount + 1));
        Assert.Equal(rounds[^1].End!.Usage.DraftedTokens, rounds.Sum(round => round.DraftLength));
        Assert.Equal(rounds[^1].End!.Usage.AcceptedTokens, rounds.Sum(round => round.AcceptedCount));
    }

    [Fact]
    public async Task Complete_LongerThanTheDraftModelsContext_GoesOnWithoutDrafts()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target, draft: TinyModels.ShortTarget);
        var generation = await Generations.AssertTextAsync(
            new LocalVerifier(scheduler), Request with { MaxTokens = 60, IgnoreEndTokens = true, Sampling = TinyModels.Sampled(1) });

        // The draft model is the target itself: what it drafts is accepted, up to the end of its context.
        Assert.Equal(generation.End.Usage.DraftedTokens, generation.End.Usage.AcceptedTokens);
        Assert.InRange(generation.End.Usage.AcceptedTokens, 25, 40);
    }

    [Fact]
    public async Task Open_DraftLengthUnsaid_IsTheServers()
    {
        using var scheduler = Start(new() { ColocatedDraftLength = 6 });
        await using var verification = scheduler.Open(Request);
        Assert.Equal(6, Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token)).DraftLength);
    }

    [Fact]
    public void Open_WithoutADraftModel_IsRefused()
    {
        using var scheduler = new VerificationScheduler(TinyModels.Target);
        var exception = Assert.Throws<ProtocolException>(() => scheduler.Open(Request));
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
        Assert.Equal(
            "This server has no draft model, so it cannot decode in colocated mode. Choose another mode, or start the server "
            + "with a draft model. Expected autoregressive or speculative, got colocated.",
            exception.Message);
    }

    [Fact]
    public void Open_DraftTooLong_IsRefused()
    {
        using var scheduler = Start();
        var exception = Assert.Throws<ProtocolException>(() => scheduler.Open(Request with { DraftLength = 17 }));
        Assert.Equal(
            "The draft length is out of range. Draft fewer tokens. Expected 0 to 16, got 17.", exception.Message);
    }

    [Fact]
    public async Task Submit_InColocatedMode_IsRefused()
    {
        using var scheduler = Start();
        await using var verification = scheduler.Open(Request with { MaxTokens = 0, IgnoreEndTokens = true });
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => verification.SendAsync(new Draft(1, 8, []), Deadline.Token).AsTask());
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
    }

    [Fact]
    public async Task Cancel_WhileDrafting_FreesTheSession()
    {
        using var scheduler = Start();
        for (var i = 0; i < 50; i++)
        {
            var verification = scheduler.Open(Request with { MaxTokens = 0, IgnoreEndTokens = true });
            if (i % 3 > 0)
            {
                await verification.ReadAsync(Deadline.Token);
            }

            await verification.DisposeAsync();
        }

        Assert.Equal(0, scheduler.SessionCount);
        await Generations.AssertTextAsync(new LocalVerifier(scheduler), Request);
    }

    [Fact]
    public async Task Drain_EndsAtTheRound()
    {
        using var scheduler = Start();
        await using var verification = scheduler.Open(Request with { MaxTokens = 0, IgnoreEndTokens = true });
        await verification.ReadAsync(Deadline.Token);
        await scheduler.DrainAsync().WaitAsync(Deadline.Token);
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task Complete_VerdictWithoutItsTokens_TellsSo()
    {
        var verifier = new ScriptedVerifier(new Verdict(1, 2, 20, default) { AcceptedTokens = [1], DraftLength = 4 });
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => new EdgeDecoder(verifier).CompleteAsync(Request, Deadline.Token));
        Assert.Equal(
            "The server's verdict of round 1 lacks tokens that it accepted. Expected 2, got 1.", exception.Message);
    }

    private static VerificationScheduler Start(SchedulerOptions? options = null, PassLog? log = null) =>
        new(TinyModels.Target, options, logger: log, draft: TinyModels.Draft);
}
