using CsCheck;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Cloud;

/// <summary>However little memory there is for KV caches: the text is the target's own, or there is a clear error.</summary>
public sealed class KvMemoryTests : IDisposable
{
    private const int PagePositions = 64;

    private static readonly GenerationRequest Plain = new()
    {
        PromptTokens = Generations.Prompt(seed: 1, 100),
        Mode = DecodingMode.Autoregressive,
        MaxTokens = 12,
        IgnoreEndTokens = true,
    };

    private readonly LanguageModel _target = TinyModels.Load("smollm-gqa-tied-q8_0");
    private readonly LanguageModel _draft = TinyModels.Load("smollm-gqa-tied-q4_0");

    private long PageBytes => PagePositions * _target.KvBytesPerPosition;

    public void Dispose()
    {
        Assert.Equal((0, 0), (_target.KvBytesInUse, _draft.KvBytesInUse));
        _target.Dispose();
        _draft.Dispose();
    }

    [Fact]
    public async Task IdleSession_GivesWay_AndGoesOnWhenItSpeaks()
    {
        using var scheduler = Start(pages: 2, reuse: false);
        var requests = new[] { Plain, Plain with { PromptTokens = Generations.Prompt(seed: 2, 100) } };
        var texts = requests.Select(request => TinyModels.PlainLoop(_target, request)).ToArray();
        var sessions = requests.Select(request => scheduler.Open(request with { Mode = DecodingMode.Speculative })).ToArray();
        for (var round = 1; round <= 12; round++)
        {
            for (var i = 0; i < 2; i++)
            {
                await sessions[i].SendAsync(new Draft(round, 99 + round, []), Deadline.Token);
                var verdict = Assert.IsType<Verdict>(await sessions[i].ReadAsync(Deadline.Token));
                Assert.Equal(texts[i][round - 1], verdict.NextToken);
                if (!verdict.IsLast)
                {
                    Assert.Equal(2 * PageBytes, _target.KvBytesInUse);
                }
            }
        }

        foreach (var session in sessions)
        {
            var end = Assert.IsType<GenerationEnd>(await session.ReadAsync(Deadline.Token));

            // Each round began with a prefill of the whole text.
            Assert.InRange(end.Usage.TargetPasses, 12, 24);
            await session.DisposeAsync();
        }
    }

    [Fact]
    public async Task SessionsThatDoNotFitTogether_Wait()
    {
        using var scheduler = Start(pages: 2);
        var verifier = new LocalVerifier(scheduler);
        await Task.WhenAll(Enumerable.Range(1, 5).Select(seed => Generations.AssertTextAsync(
            verifier, Plain with { PromptTokens = Generations.Prompt(seed, 100) })));
    }

    [Fact]
    public void Open_PromptThatNeverFits_IsOverloaded()
    {
        using var scheduler = Start(pages: 1);
        var exception = Assert.Throws<VerifierUnavailableException>(() => scheduler.Open(Plain));
        Assert.Equal(VerificationErrorCode.Overloaded, exception.Error.Code);
        Assert.Equal(
            "The server's memory for KV caches is too small for this generation. Shorten it, or give the server more. "
            + $"Expected {PageBytes} bytes or less, got 100 positions of {_target.KvBytesPerPosition} bytes each.",
            exception.Message);
        Assert.Equal(0, scheduler.SessionCount);
    }

    [Fact]
    public async Task GenerationThatGrowsTooLong_IsOverloaded_AndOthersGoOn()
    {
        using var scheduler = Start(pages: 1);
        var verifier = new LocalVerifier(scheduler);
        var request = Plain with { PromptTokens = Generations.Prompt(seed: 1, 60) };
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => Generations.AssertTextAsync(verifier, request));
        Assert.Equal(VerificationErrorCode.Overloaded, exception.Error.Code);
        await Generations.AssertTextAsync(verifier, request with { MaxTokens = 4 });
    }

    [Fact]
    public void Property_TinyBudget_AnyInterleaving_EveryTextIsTheTargets() =>
        Gen.Select(
            Gen.Int[4, 8],
            Gen.Bool,
            Gen.Select(Gen.Int[1, 200], Gen.Int[0, 180], Gen.Int[1, 30], Gen.Enum<DecodingMode>().Where(mode => mode != DecodingMode.EdgeOnly), Gen.Int[1, 8])
                .Array[2, 7]).Sample(
            (pages, reuse, sessions) => RunAsync(pages, reuse, sessions).GetAwaiter().GetResult(),
            iter: 15,
            threads: 1);

    private async Task RunAsync(
        int pages, bool reuse, (int Length, int Shared, int Output, DecodingMode Mode, int DraftLength)[] sessions)
    {
        using var scheduler = Start(pages, reuse, chunk: 24);
        var verifier = new LocalVerifier(scheduler);
        await Task.WhenAll(sessions.Select((session, i) => Task.Run(async () =>
        {
            using var drafter = new ModelDrafter(TinyModels.Draft);
            var shared = Plain.PromptTokens[..Math.Min(Math.Min(session.Shared, session.Length), 100)];
            var request = new GenerationRequest
            {
                PromptTokens = Generations.Prompt(seed: i + 10, session.Length, shared),
                MaxTokens = session.Output,
                Mode = session.Mode,
                Sampling = i % 2 == 0 ? new() : TinyModels.Sampled((ulong)i),
            };
            for (var turn = 0; turn < 2; turn++)
            {
                var text = await Generations.AssertTextAsync(verifier, request, drafter, session.DraftLength);
                Assert.InRange(_target.KvBytesInUse + _draft.KvBytesInUse, 0, scheduler.KvMemory);
                request = request with { PromptTokens = [.. request.PromptTokens, .. text.Tokens[..Math.Min(text.Tokens.Length, 8)]] };
            }
        })));
    }

    private VerificationScheduler Start(int pages, bool reuse = true, int chunk = 128) => new(
        _target,
        new() { KvMemory = pages * PageBytes, ReusePrefixes = reuse, MaxPrefillRows = chunk },
        draft: _draft);
}
