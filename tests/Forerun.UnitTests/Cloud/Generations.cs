using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Cloud;

/// <summary>Runs generations as an edge does.</summary>
internal static class Generations
{
    /// <summary>Decodes to the end; the text must be the plain loop's.</summary>
    public static async Task<DecodedGeneration> AssertTextAsync(
        IVerifier verifier,
        GenerationRequest request,
        IDrafter? drafter = null,
        int draftLength = 4,
        LanguageModel? target = null,
        bool wholeDrafts = false,
        CancellationToken? deadline = null)
    {
        var decoder = new EdgeDecoder(verifier, drafter, new() { DraftLength = draftLength, EndsDraftsEarly = !wholeDrafts });
        var generation = await decoder.CompleteAsync(request, deadline ?? Deadline.Token);
        Assert.Equal(TinyModels.PlainLoop(target ?? TinyModels.Target, request), generation.Tokens);
        return generation;
    }

    /// <summary>Seeded prompt tokens; the first ones are <paramref name="prefix"/>.</summary>
    public static ImmutableArray<int> Prompt(int seed, int length, ImmutableArray<int> prefix = default)
    {
        var random = new Random(seed);
        var start = prefix.IsDefault ? [] : prefix;
        return [.. start, .. Enumerable.Range(0, length - start.Length).Select(_ => random.Next(20, 600))];
    }
}
