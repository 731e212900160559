using Forerun.Core.Decoding;
using Forerun.Edge.Links;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.EndToEndTests;

/// <summary>Over every link profile, on a clock a hundred times as fast: the text is the target's own in every mode.
/// </summary>
public class LinkTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private const double Faster = 0.01;

    public static TheoryData<string, ulong> Cases => new(
        from name in LinkProfile.Named.Select(profile => profile.Name).Append("rough")
        from seed in new[] { 0UL, 11UL }
        select (name, seed));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Complete_EveryModeOverAnyLink_WritesThePlainLoopsText(string name, ulong seed)
    {
        var request = new GenerationRequest
        {
            PromptTokens = TinyModels.Prompt,
            MaxTokens = 24,
            Sampling = seed == 0 ? new() : TinyModels.Sampled(seed),
        };
        var expected = TinyModels.PlainLoop(TinyModels.Target, request);
        await using var link = new LinkRelay(fixture.Address, Profile(name).Scale(Faster), seed: 3);
        using var verifier = ServerFixture.Connect(link.Address);
        using var drafter = new ModelDrafter(TinyModels.Draft);
        foreach (var mode in Enum.GetValues<DecodingMode>().Where(mode => mode != DecodingMode.EdgeOnly))
        {
            Assert.Equal(expected, await ServerFixture.CompleteAsync(verifier, request with { Mode = mode }, drafter));
        }

        Assert.True(link.BytesUp > 0 && link.BytesDown > 0, "The relay saw no bytes.");
    }

    private static LinkProfile Profile(string name) => name == "rough"
        ? LinkProfile.Parse("lte") with
        {
            LossRate = 0.1,
            Outages = OutagePattern.Random(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(0.5)),
        }
        : LinkProfile.Parse(name);
}
