using System.Collections.Immutable;
using Forerun.Cli.Comparing;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;

namespace Forerun.UnitTests.Cli;

/// <summary>What an edge knows from one generation of a comparison to the next.</summary>
public class CompareEdgeTests
{
    private const int VocabSize = 600;

    [Fact]
    public async Task Run_SameDraftLength_KeepsWhatItLearnt()
    {
        var random = new Random(4);
        ImmutableArray<int> text = [.. Enumerable.Range(0, 80).Select(_ => random.Next(VocabSize))];
        await using var edge = new CompareEdge(
            new FreshTargets(text), new OracleDrafter(text, 1, VocabSize), EdgeDecoderOptions.Default, TinyModels.Draft.Tokenizer, "target");
        var request = new GenerationRequest { PromptTokens = [1, 2, 3], MaxTokens = text.Length, Mode = DecodingMode.Preemptive };

        // The drafter is always wrong: in the end, that all it drafts is accepted is not worth drafting for.
        Assert.True(await TokensAheadAsync(1) > 0);
        Assert.Equal(0, await TokensAheadAsync(1));
        Assert.True(await TokensAheadAsync(2) > 0);

        async Task<int> TokensAheadAsync(int draftLength) =>
            (await edge.RunAsync(request, draftLength, Deadline.Token)).PreDrafts!.Tokens;
    }

    /// <summary>A target of its own for each generation.</summary>
    private sealed class FreshTargets(ImmutableArray<int> text) : IVerifier
    {
        public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default) =>
            new FakeTarget(text, VocabSize, seed: 1).OpenAsync(request, cancellationToken);
    }
}
