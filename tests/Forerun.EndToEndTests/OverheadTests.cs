using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;

namespace Forerun.EndToEndTests;

/// <summary>What the protocol adds to a round.</summary>
public class OverheadTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    [Fact]
    public async Task Round_Bytes_AreTens()
    {
        using var verifier = fixture.Connect();
        var request = new GenerationRequest
        {
            PromptTokens = TinyModels.Prompt,
            MaxTokens = 120,
            IgnoreEndTokens = true,
        };
        var decoder = new EdgeDecoder(verifier, new OracleDrafter([], 7, ServerFixture.VocabSize));
        DecodedRound? before = null;
        await foreach (var round in decoder.GenerateAsync(request, Deadline.Token))
        {
            if (before is not null && round.End is null)
            {
                Assert.InRange(round.Bytes.Up - before.Bytes.Up, 1, 60);
                Assert.InRange(round.Bytes.Down - before.Bytes.Down, 1, 60);
            }

            before = round;
        }

        Assert.NotNull(before?.End);
    }

    [Fact]
    public async Task RoundTripTime_WhileTheTargetStreams_IsMeasured()
    {
        const int rounds = 60;
        using var verifier = fixture.Connect();
        await using var verification = await verifier.OpenAsync(
            new() { PromptTokens = TinyModels.Prompt, MaxTokens = rounds + 1, IgnoreEndTokens = true, Mode = DecodingMode.Pipelined },
            Deadline.Token);
        Assert.Null(verification.RoundTripTime);
        await verification.StreamAsync(rounds, Deadline.Token);
        for (var round = 1; round <= rounds; round++)
        {
            Assert.Equal(round, Assert.IsType<Verdict>(await verification.ReadAsync(Deadline.Token)).Round);
        }

        Assert.True(verification.RoundTripTime > TimeSpan.Zero);
    }
}
