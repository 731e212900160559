using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Edge;

/// <summary>Knows the text, errs with a probability, and then has the right token among its alternatives half the time;
/// one token per step, as a model. It errs elsewhere in each generation.</summary>
internal sealed class NoisyOracleDrafter(ImmutableArray<int> text, double errors, int vocabSize) : IDrafter
{
    private Random _random = new(0);
    private int _promptLength;
    private int _generations;

    public void Begin(GenerationRequest request) =>
        (_random, _promptLength) = (new Random(text.Length + (1000 * _generations++)), request.PromptTokens.Length);

    public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

    public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        Assert.InRange(branches.Length, 1, IDrafter.MaxBranches);
        foreach (var branch in branches)
        {
            Assert.False(branch.IsComplete);
            var at = branch.Tokens.Length - _promptLength;
            var right = at < text.Length ? text[at] : 0;
            var wrong = (right + 1 + _random.Next(vocabSize - 1)) % vocabSize;
            var (first, second) = _random.NextDouble() < errors ? (wrong, right) : (right, wrong);
            branch.Append(new DraftedToken(first, new([second]), _random.NextSingle() * 10));
            if (_random.Next(40) == 0)
            {
                branch.End();
            }
        }
    }
}
