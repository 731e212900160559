using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Edge;

/// <summary>Drafts seeded noise.</summary>
public sealed class RandomDrafter(int seed, int vocabSize) : IDrafter
{
    private Random _random = new(seed);

    public void Begin(GenerationRequest request) => _random = new Random(seed);

    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        var count = _random.Next(destination.Length + 1);
        for (var i = 0; i < count; i++)
        {
            destination[i] = _random.Next(vocabSize);
        }

        return count;
    }
}

/// <summary>Knows the text; with an offset it is wrong at every position.</summary>
public sealed class OracleDrafter(ImmutableArray<int> text, int offset, int vocabSize) : IDrafter
{
    private int _promptLength;

    public void Begin(GenerationRequest request) => _promptLength = request.PromptTokens.Length;

    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        for (var i = 0; i < destination.Length; i++)
        {
            var at = history.Length - _promptLength + i;
            destination[i] = at < text.Length ? (text[at] + offset) % vocabSize : 0;
        }

        return destination.Length;
    }
}
