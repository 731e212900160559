using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.EdgeOnly;
using Forerun.Edge.Links;
using Forerun.Inference.Drafting;
using Forerun.Inference.Tokenization;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;

namespace Forerun.EndToEndTests;

/// <summary>The bundled models over the bundled prompt sets, in every mode, greedy and sampled, with draft lengths of 1 to
/// 8, over every link profile on a clock a hundred times as fast: the text is the target's own.</summary>
public class PromptSetTests(PromptSetFixture fixture) : IClassFixture<PromptSetFixture>
{
    private const int MaxTokens = 16;
    private const double Faster = 0.01;

    public static TheoryData<string> Links => [.. LinkProfile.Named.Select(profile => profile.Name)];

    [Theory]
    [MemberData(nameof(Links))]
    [Trait("Category", "Full")]
    public async Task EveryModeAndLength_OverManyPrompts_GivesTheTargetsText(string link)
    {
        var profile = LinkProfile.Parse(link);
        await using var relay = new LinkRelay(fixture.Address, profile.Scale(Faster), seed: 3);
        using var remote = ServerFixture.Connect(relay.Address, fixture.Draft.Tokenizer.Fingerprint);
        using var drafter = new ModelDrafter(fixture.Draft);

        // What auto learns outlives a generation: later prompts meet its later choices.
        var auto = new EdgeDecoder(remote, drafter);
        foreach (var prompt in PromptSetPlan.Cases.Where(prompt => prompt.Link == profile))
        {
            var request = Request(prompt);
            var expected = (await CompleteAsync(
                new(fixture.Local), request with { Mode = DecodingMode.Autoregressive })).Tokens;
            foreach (var mode in PromptSetPlan.Lossless)
            {
                var decoder = mode == DecodingMode.Auto ? auto : Decoder(remote, drafter, prompt.DraftLength(mode));
                var actual = await CompleteAsync(decoder, request with { Mode = mode });
                Assert.True(
                    expected.SequenceEqual(actual.Tokens),
                    $"Prompt {prompt.Index}, {mode}, draft length {prompt.DraftLength(mode)}: expected "
                    + $"{string.Join(' ', expected)}, got {string.Join(' ', actual.Tokens)}.");
            }

            IDrafter other = prompt.Index % 4 < 2 ? new RandomDrafter(prompt.Index, fixture.Target.Config.VocabSize) : drafter;
            var here = await CompleteAsync(Decoder(fixture.Local, other, prompt.DraftLength(request.Mode)), request);
            Assert.Equal(expected, here.Tokens);
            await AssertEdgeOnlyAsync(request with { Mode = DecodingMode.EdgeOnly });
        }

        Assert.True(relay.BytesUp > 0 && relay.BytesDown > 0, "The relay saw no bytes.");
    }

    /// <summary>The draft model alone writes its own text, not the target's.</summary>
    private async Task AssertEdgeOnlyAsync(GenerationRequest request) => Assert.Equal(
        TinyModels.PlainLoop(fixture.Draft, request),
        (await CompleteAsync(new(new EdgeOnlyVerifier(fixture.Draft)), request)).Tokens);

    private static EdgeDecoder Decoder(IVerifier verifier, IDrafter drafter, int draftLength) =>
        new(verifier, drafter, new() { DraftLength = draftLength });

    private static Task<DecodedGeneration> CompleteAsync(EdgeDecoder decoder, GenerationRequest request) =>
        decoder.CompleteAsync(request, TestContext.Current.CancellationToken);

    private GenerationRequest Request(PromptCase prompt) => new()
    {
        PromptTokens = fixture.Target.ChatTemplate!.Encode(
            fixture.Target.Tokenizer, [new ChatMessage("user", prompt.Prompt)], addGenerationPrompt: true),
        MaxTokens = MaxTokens,
        Sampling = prompt.Sampling,
    };
}
