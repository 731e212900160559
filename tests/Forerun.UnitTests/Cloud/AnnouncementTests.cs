using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Exits;

namespace Forerun.UnitTests.Cloud;

/// <summary>What the server announces in the middle of a pass.</summary>
public sealed class AnnouncementTests : IDisposable
{
    private static readonly int[] Layers = [1, 3];
    private static readonly ImmutableArray<int> Draft = [7, 300, 41];

    // As many threads as cores: no core is left, the exits run between the pass's stages.
    private readonly LanguageModel _target = LanguageModel.Load(
        Repository.Path("tests", "assets", "tiny", "smollm-gqa-tied-q8_0", "model.gguf"),
        new() { Threads = ProcessCores.Count });

    private readonly ExitHeads _exits;

    public AnnouncementTests() => _exits = new ExitHeads(RandomExits.File(_target, Layers), _target);

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public async Task FirstRound_AnnouncesWhatTheExitsExpect(ulong seed)
    {
        var request = Request(DecodingMode.Preemptive, seed);
        int[] tokens = [.. request.PromptTokens, .. Draft];
        using var scratch = _exits.CreateScratch(Draft.Length + 1, Draft.Length);
        var announcer = new ExitAnnouncer(
            _exits, request.Sampling, new GenerationLimits(2048, request.PromptTokens.Length, request.MaxTokens));
        var expected = Layers.Select((layer, exit) =>
        {
            var hidden = RandomExits.Hidden(_target, layer, tokens).Hidden;
            var verified = hidden.AsSpan((request.PromptTokens.Length - 1) * _target.Config.HiddenSize);
            var provisional = announcer.Announce(scratch, exit, verified, tokens, request.PromptTokens.Length);
            return new Announcement(1, layer, provisional.AcceptedCount, provisional.NextToken, provisional.Confidence);
        }).ToArray();

        var events = await FirstRoundAsync(request, threshold: 0f);
        Assert.IsType<Verdict>(events[^1]);
        Assert.Equal(
            expected.Where((said, i) => i == 0 || !Same(said, expected[i - 1])), events.SkipLast(1).Cast<Announcement>());
    }

    [Fact]
    public async Task Threshold_KeepsUnsureExitsSilent() =>
        Assert.IsType<Verdict>(Assert.Single(await FirstRoundAsync(Request(DecodingMode.Pipelined), threshold: 1f)));

    [Fact]
    public async Task Speculative_HearsNothing() =>
        Assert.IsType<Verdict>(Assert.Single(await FirstRoundAsync(Request(DecodingMode.Speculative), threshold: 0f)));

    [Theory]
    [InlineData(DecodingMode.Preemptive, 0)]
    [InlineData(DecodingMode.Preemptive, 9)]
    [InlineData(DecodingMode.Pipelined, 0)]
    [InlineData(DecodingMode.Pipelined, 9)]
    public async Task Complete_WithExits_WritesThePlainLoopsText(DecodingMode mode, ulong seed)
    {
        var request = Request(mode, seed) with { MaxTokens = 40 };
        var expected = TinyModels.PlainLoop(_target, request);
        foreach (var target in new[] { _target, TinyModels.Target })
        {
            using var exits = new ExitHeads(RandomExits.File(target, Layers), target);
            using var scheduler = new VerificationScheduler(target, new() { ExitThreshold = 0f }, exits: exits);
            using var drafter = new ModelDrafter(TinyModels.Draft);
            var decoder = new EdgeDecoder(new LocalVerifier(scheduler), drafter);
            Assert.Equal(expected, (await decoder.CompleteAsync(request, Deadline.Token)).Tokens);
        }
    }

    public void Dispose()
    {
        _exits.Dispose();
        _target.Dispose();
    }

    private static bool Same(Announcement a, Announcement b) =>
        (a.AcceptedCount, a.NextToken) == (b.AcceptedCount, b.NextToken);

    private static GenerationRequest Request(DecodingMode mode, ulong seed = 0) => new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 20,
        Mode = mode,
        IgnoreEndTokens = true,
        Sampling = seed == 0 ? new() : TinyModels.Sampled(seed),
    };

    private async Task<List<VerificationEvent>> FirstRoundAsync(GenerationRequest request, float threshold)
    {
        using var scheduler = new VerificationScheduler(_target, new() { ExitThreshold = threshold }, exits: _exits);
        await using var verification = await new LocalVerifier(scheduler).OpenAsync(request, Deadline.Token);
        await verification.SendAsync(new Draft(1, request.PromptTokens.Length, Draft), Deadline.Token);
        List<VerificationEvent> events = [];
        do
        {
            events.Add(await verification.ReadAsync(Deadline.Token));
        }
        while (events[^1] is not Verdict);
        return events;
    }
}
