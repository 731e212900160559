using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.UnitTests.Sampling;

namespace Forerun.UnitTests.Decoding;

/// <summary>Whole rounds of rejection sampling on a toy target whose next token depends on the last one: sequences have the
/// target's joint distribution, for any draft length. Fixed seeds.</summary>
public class RejectionBlockTests
{
    private const int VocabSize = 4;
    private const int Length = 3;
    private const int Sequences = 60_000;

    private static readonly float[][] Target = [.. Enumerable.Range(0, VocabSize).Select(last => TokenSamplerTests.Normal(VocabSize, 1.2f, last))];
    private static readonly float[][] Drafter =
        [.. Target.Select((logits, last) => logits.Zip(TokenSamplerTests.Normal(VocabSize, 0.7f, 40 + last), (own, noise) => own + noise).ToArray())];

    public static TheoryData<int, int, int> Cases => new(
        from draftLength in new[] { 1, 2 }
        from topK in new[] { 0, 3 }
        from draftTopK in new[] { 1, 2, 4 }
        select (draftLength, topK, draftTopK));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rounds_ManySequences_HaveTheTargetsJointDistribution(int draftLength, int topK, int draftTopK)
    {
        var rounds = new ToyRounds(new() { Temperature = 1f, TopK = topK, Seed = 42 }, draftTopK, draftLength);
        var counts = new int[VocabSize * VocabSize * VocabSize];
        for (var i = 0; i < Sequences; i++)
        {
            Count(rounds.Decode(1 + (i * Length), Length), counts);
        }

        var pValue = ChiSquare.PValue(counts, [.. Sequence(topK)]);
        TestContext.Current.TestOutputHelper?.WriteLine($"p = {pValue:F4}, accepted {rounds.Accepted / (double)rounds.Drafted:P1}");
        Assert.InRange(pValue, 1e-4, 1);
        Assert.InRange(rounds.Accepted, 1, rounds.Drafted - 1);
    }

    [Fact]
    public void Rounds_ManySeeds_HaveTheTargetsJointDistribution()
    {
        var counts = new int[VocabSize * VocabSize * VocabSize];
        for (var seed = 0UL; seed < Sequences; seed++)
        {
            Count(new ToyRounds(new() { Temperature = 1f, Seed = seed }, 3, draftLength: 2).Decode(1, Length), counts);
        }

        Assert.InRange(ChiSquare.PValue(counts, [.. Sequence(topK: 0)]), 1e-4, 1);
    }

    /// <summary>The test's own strength: the rule is right at every position alone, but the positions of a sequence share their
    /// random numbers.</summary>
    [Fact]
    public void Rounds_SharedNumbers_AreFoundOut()
    {
        var rounds = new ToyRounds(new() { Temperature = 1f, Seed = 42 }, 4, draftLength: 2, sharesNumbers: true);
        var counts = new int[VocabSize * VocabSize * VocabSize];
        for (var i = 0; i < Sequences; i++)
        {
            Count(rounds.Decode(1 + (i * Length), Length), counts);
        }

        Assert.InRange(ChiSquare.PValue(counts, [.. Sequence(topK: 0)]), 0, 1e-12);
    }

    /// <summary>One long text: the numbers of its positions are independent.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Rounds_OneLongText_HasTheTargetsTransitions(int draftLength)
    {
        var text = new ToyRounds(new() { Temperature = 1f, Seed = 5 }, 3, draftLength).Decode(1, Sequences);
        for (var first = 0; first < VocabSize; first++)
        {
            var counts = new int[VocabSize * VocabSize];
            for (var i = 0; i < text.Count - 2; i++)
            {
                if (text[i] == first)
                {
                    counts[(text[i + 1] * VocabSize) + text[i + 2]]++;
                }
            }

            double[] pairs = [.. from second in Enumerable.Range(0, VocabSize)
                                 from third in Enumerable.Range(0, VocabSize)
                                 select Probs(first, 0)[second] * Probs(second, 0)[third]];
            Assert.InRange(ChiSquare.PValue(counts, pairs), 1e-4, 1);
        }
    }

    private static void Count(List<int> text, int[] counts) =>
        counts[(((text[1] * VocabSize) + text[2]) * VocabSize) + text[3]]++;

    private static IEnumerable<double> Sequence(int topK) =>
        from first in Enumerable.Range(0, VocabSize)
        from second in Enumerable.Range(0, VocabSize)
        from third in Enumerable.Range(0, VocabSize)
        select Probs(0, topK)[first] * Probs(first, topK)[second] * Probs(second, topK)[third];

    private static double[] Probs(int last, int topK)
    {
        var survivors = SortingSampler.Survivors(new() { Temperature = 1f, TopK = topK }, Target[last], [], []);
        var probabilities = new double[VocabSize];
        survivors.ForEach(s => probabilities[s.Token] = Math.Exp(-s.Distance) / survivors.Sum(other => Math.Exp(-other.Distance)));
        return probabilities;
    }

    /// <summary>Rounds of draft and acceptance behind token 0.</summary>
    private sealed class ToyRounds(SamplingOptions options, int draftTopK, int draftLength, bool sharesNumbers = false)
    {
        private readonly TokenSampler _target = new(options, VocabSize);
        private readonly TokenSampler _drafter = new(options with { TopK = draftTopK }, VocabSize);

        public int Drafted { get; private set; }

        public int Accepted { get; private set; }

        /// <summary>A sequence whose first token stands at a position.</summary>
        public List<int> Decode(int start, int length)
        {
            var limits = new GenerationLimits(int.MaxValue, start, length);
            List<int> text = [0];
            while (text.Count <= length)
            {
                var position = start + text.Count - 1;
                var (draft, draftProbs) = (new List<int>(), new List<SparseDistribution>());
                for (var wanted = limits.DraftLength(position, draftLength); wanted > 0; wanted--)
                {
                    draftProbs.Add(_drafter.DraftProbs(Drafter[draft.Count == 0 ? text[^1] : draft[^1]], []));
                    draft.Add(draftProbs[^1].Draw(options.Seed, Numbers(start, position + draft.Count)));
                }

                var result = Acceptance.Accept(draft.ToArray(), position, limits, 0, (_, row) =>
                {
                    var logits = Target[row == 0 ? text[^1] : draft[row - 1]];
                    var numbers = Numbers(start, position + row);
                    return row < draft.Count
                        ? _target.Verify(logits, numbers, [], draft[row], draftProbs[row])
                        : _target.Sample(logits, numbers, []);
                });
                (Drafted, Accepted) = (Drafted + draft.Count, Accepted + result.AcceptedCount);
                text.AddRange(draft.Take(result.AcceptedCount));
                text.Add(result.NextToken);
            }

            return text;
        }

        private int Numbers(int start, int position) => sharesNumbers ? start : position;
    }
}
