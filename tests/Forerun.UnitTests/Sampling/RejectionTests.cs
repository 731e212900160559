using Forerun.Core.Sampling;

namespace Forerun.UnitTests.Sampling;

/// <summary>Rejection sampling has the target's distribution for any q; what is almost the rule has not. Fixed seeds.</summary>
public class RejectionTests
{
    private const int VocabSize = 50;
    private const int Draws = 60_000;
    private const double Threshold = 1e-4;
    private const double Impossible = 1e-12;

    private static readonly float[] Logits = TokenSamplerTests.Normal(VocabSize, 1.5f, 5);

    private static readonly Dictionary<string, SamplingOptions> Filters = new()
    {
        ["plain"] = new() { Temperature = 1f, Seed = 2024 },
        ["cool"] = new() { Temperature = 0.8f, Seed = 7 },
        ["top-k"] = new() { Temperature = 0.8f, TopK = 12, Seed = 2025 },
        ["top-p"] = new() { Temperature = 1.2f, TopP = 0.8f, Seed = 2026 },
        ["all"] = new() { Temperature = 1.5f, TopK = 30, TopP = 0.95f, MinP = 0.05f, RepetitionPenalty = 1.3f, Seed = 2027 },
    };

    private static readonly int[] History = [3, 17, 3, 44];

    /// <summary>How a drafter's q may lie to the target's p.</summary>
    private static readonly Dictionary<string, Func<SamplingOptions, SparseDistribution>> Drafters = new()
    {
        ["close"] = options => OfModel(options, Nearby(0.3f)),
        ["far"] = options => OfModel(options, TokenSamplerTests.Normal(VocabSize, 1.5f, 99)),
        ["hotter"] = options => OfModel(options with { Temperature = 3f }, Nearby(0.3f)),
        ["colder"] = options => OfModel(options with { Temperature = 0.2f }, Logits),
        ["unlikely tokens only"] = _ => Uniform(TargetOrder()[^8..]),
        ["two likely tokens"] = _ => Uniform(TargetOrder()[..2]),
        ["three tokens of the target's"] = options => OfModel(options with { TopK = 3 }, Logits),
        ["uniform"] = _ => Uniform(Enumerable.Range(9, SparseDistribution.MaxTokens)),
        ["eighths"] = options => Coarse(OfModel(options, Logits)),
        ["certain of the likeliest"] = _ => SparseDistribution.Certain(TargetOrder()[0]),
        ["certain of the least likely"] = _ => SparseDistribution.Certain(TargetOrder()[^1]),
    };

    private static readonly string[] Models = ["close", "far", "three tokens of the target's", "uniform"];

    public static TheoryData<string, string> Cases => new(
        from filter in Filters.Keys
        from drafter in filter == "plain" ? Drafters.Keys : Models.AsEnumerable()
        select (filter, drafter));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Verify_AnyDraftProbs_HasTheTargetsFrequencies(string filter, string drafter)
    {
        var options = Filters[filter];
        var draftProbs = Drafters[drafter](options);
        var sampler = new TokenSampler(options, VocabSize);
        var counts = new int[VocabSize];
        var accepted = 0;
        for (var position = 0; position < Draws; position++)
        {
            var draftToken = draftProbs.Draw(options.Seed, position);
            var token = sampler.Verify(Logits, position, History, draftToken, draftProbs);
            counts[token]++;
            accepted += token == draftToken ? 1 : 0;
        }

        var targetProbs = TargetProbs(options);
        var pValue = ChiSquare.PValue(counts, targetProbs);
        TestContext.Current.TestOutputHelper?.WriteLine($"p = {pValue:F4}, accepted {accepted / (double)Draws:P1}");
        Assert.InRange(pValue, Threshold, 1);

        // The rate of acceptance is the overlap of p and q: Σ min(p, q), here to five standard deviations.
        var overlap = Enumerable.Range(0, VocabSize)
            .Sum(token => Math.Min(targetProbs[token], draftProbs.WeightOf(token) / (double)SparseDistribution.Total));
        Assert.Equal(overlap, accepted / (double)Draws, 5 * Math.Sqrt(overlap * (1 - overlap) / Draws) + 1e-9);
    }

    /// <summary>The test's own strength: each of these is almost the rule.</summary>
    [Theory]
    [InlineData("always accept")]
    [InlineData("draw from the target instead of the residual")]
    [InlineData("weigh with another q than was drawn from")]
    [InlineData("draw the draft token with the residual's noise")]
    [InlineData("decide with the noise of the draft token")]
    public void Verify_AlmostTheRule_IsFoundOut(string wrong)
    {
        var options = Filters["plain"];
        var draftProbs = Drafters["close"](options);
        var other = Drafters["hotter"](options);
        var sampler = new TokenSampler(options, VocabSize);
        var stranger = new TokenSampler(options with { Seed = ~options.Seed }, VocabSize);
        var counts = new int[VocabSize];
        for (var position = 0; position < Draws; position++)
        {
            var draftToken = draftProbs.Draw(options.Seed, position);
            counts[wrong switch
            {
                "always accept" => draftToken,
                "draw from the target instead of the residual" =>
                    sampler.Verify(Logits, position, History, draftToken, draftProbs) == draftToken
                        ? draftToken
                        : stranger.Sample(Logits, position, History),
                "weigh with another q than was drawn from" =>
                    sampler.Verify(Logits, position, History, draftToken, other),
                "draw the draft token with the residual's noise" => sampler.Verify(
                    Logits, position, History, draftToken = draftProbs.Draw(SharedNoise.ResidualSeed(options.Seed), position), draftProbs),
                _ => sampler.Verify(Logits, position, History, DrawBy(draftProbs, SharedNoise.Uniform(options.Seed, position)), draftProbs),
            }]++;
        }

        Assert.InRange(ChiSquare.PValue(counts, TargetProbs(options)), 0, Impossible);
    }

    /// <summary>The overlap of p and q, which is what the rule accepts, bounds every other rule.</summary>
    [Theory]
    [InlineData(0.6f)]
    [InlineData(1.5f)]
    public void Verify_AnotherModel_AcceptsMoreThanSharedNoise(float distance)
    {
        var options = Filters["cool"];
        var target = new TokenSampler(options, VocabSize);
        var drafter = new TokenSampler(options, VocabSize);
        var logits = Nearby(distance);
        var draftProbs = drafter.DraftProbs(logits, History);
        var (rejection, sharedNoise) = (0, 0);
        for (var position = 0; position < Draws; position++)
        {
            var draftToken = draftProbs.Draw(options.Seed, position);
            rejection += target.Verify(Logits, position, History, draftToken, draftProbs) == draftToken ? 1 : 0;
            sharedNoise += target.Sample(Logits, position, History) == drafter.Sample(logits, position, History) ? 1 : 0;
        }

        Assert.True(rejection > sharedNoise, $"{rejection} and {sharedNoise} of {Draws}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{rejection} and {sharedNoise} of {Draws}");
    }

    [Fact]
    public void Verify_SameDistributions_AcceptsEverything()
    {
        var options = new SamplingOptions { Temperature = 1f, TopK = 4, Seed = 3 };

        // Four logits that are alike have weights that are alike, and 4096 is four times 1024.
        float[] logits = [1f, 0f, 1f, 1f, 0.5f, 1f];
        var sampler = new TokenSampler(options, logits.Length);
        var draftProbs = sampler.DraftProbs(logits, []);
        Assert.Equal([0, 2, 3, 5], draftProbs.Tokens);
        Assert.Equal([1024, 1024, 1024, 1024], draftProbs.Weights);
        for (var position = 0; position < 2000; position++)
        {
            var draftToken = draftProbs.Draw(options.Seed, position);
            Assert.Equal(draftToken, sampler.Verify(logits, position, [], draftToken, draftProbs));
        }
    }

    [Fact]
    public void Verify_DisjointSupports_RejectsEverythingIntoTheTargets()
    {
        var options = new SamplingOptions { Temperature = 1f, TopK = 5, Seed = 3 };
        var sampler = new TokenSampler(options, VocabSize);
        var draftProbs = Uniform(TargetOrder()[5..20]);
        for (var position = 0; position < 2000; position++)
        {
            var token = sampler.Verify(Logits, position, [], draftProbs.Draw(1, position), draftProbs);
            Assert.Contains(token, TargetOrder()[..5]);
        }
    }

    [Fact]
    public void Verify_Greedy_IsRefused()
    {
        var sampler = new TokenSampler(SamplingOptions.Default, VocabSize);
        Assert.Throws<InvalidOperationException>(() => sampler.DraftProbs(Logits, []));
        Assert.Throws<InvalidOperationException>(() => sampler.Verify(Logits, 0, [], 1, SparseDistribution.Certain(1)));
    }

    [Fact]
    public void Verify_AfterAcceptingAndRejectingOnce_AllocatesNothing()
    {
        var sampler = new TokenSampler(Filters["all"], VocabSize);
        var draftProbs = Drafters["far"](Filters["all"]);
        var (accepted, rejected) = VerifyHundred();
        Assert.True(accepted > 0 && rejected > 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        VerifyHundred();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        (int Accepted, int Rejected) VerifyHundred()
        {
            var accepted = 0;
            for (var position = 0; position < 100; position++)
            {
                var token = draftProbs.Tokens[position % draftProbs.Tokens.Length];
                accepted += sampler.Verify(Logits, position, History, token, draftProbs) == token ? 1 : 0;
            }

            return (accepted, 100 - accepted);
        }
    }

    /// <summary>Over the whole vocabulary, a choice among tokens is the choice.</summary>
    [Fact]
    public void VerifyAmong_AllTokens_IsVerify()
    {
        var (accepted, rejected) = (0, 0);
        foreach (var options in Filters.Values)
        {
            var sampler = new TokenSampler(options, VocabSize);
            int[] all = [.. Enumerable.Range(0, VocabSize)];
            var draftProbs = Drafters["close"](options);
            for (var position = 0; position < 500; position++)
            {
                var draftToken = draftProbs.Draw(options.Seed, position);
                var token = sampler.Verify(Logits, position, History, draftToken, draftProbs);
                Assert.Equal(token, sampler.VerifyAmong(all, Logits, position, History, draftToken, draftProbs, out var lead));
                Assert.InRange(lead, 0, TokenSampler.LargestLead);
                (accepted, rejected) = token == draftToken ? (accepted + 1, rejected) : (accepted, rejected + 1);
            }
        }

        Assert.True(accepted > 100 && rejected > 100);
    }

    private static double[] TargetProbs(SamplingOptions options)
    {
        var survivors = SortingSampler.Survivors(options, Logits, [], History);
        var total = survivors.Sum(s => Math.Exp(-s.Distance));
        var probabilities = new double[VocabSize];
        survivors.ForEach(s => probabilities[s.Token] = Math.Exp(-s.Distance) / total);
        return probabilities;
    }

    private static int[] TargetOrder() => [.. Enumerable.Range(0, VocabSize).OrderByDescending(token => Logits[token])];

    private static float[] Nearby(float distance) =>
        [.. Logits.Zip(TokenSamplerTests.Normal(VocabSize, distance, 12), (own, noise) => own + noise)];

    private static SparseDistribution OfModel(SamplingOptions options, float[] logits) =>
        new TokenSampler(options, VocabSize).DraftProbs(logits, History);

    private static SparseDistribution Uniform(IEnumerable<int> tokens)
    {
        int[] ascending = [.. tokens.Order()];
        return SparseDistribution.Quantise(ascending, [.. ascending.Select(_ => 1)]);
    }

    /// <summary>Rounded to eighths.</summary>
    private static SparseDistribution Coarse(SparseDistribution fine)
    {
        const int Step = SparseDistribution.Total / 8;
        var weights = fine.Weights.Select(weight => weight / Step * Step).ToArray();
        weights[fine.Weights.IndexOf(fine.Weights.Max())] += SparseDistribution.Total - weights.Sum();
        var kept = Enumerable.Range(0, weights.Length).Where(i => weights[i] > 0).ToArray();
        return SparseDistribution.Create([.. kept.Select(i => fine.Tokens[i])], [.. kept.Select(i => weights[i])]);
    }

    /// <summary>By inversion of the cumulated weights.</summary>
    private static int DrawBy(SparseDistribution draftProbs, double uniform)
    {
        var rest = uniform * SparseDistribution.Total;
        for (var i = 0; ; i++)
        {
            rest -= draftProbs.Weights[i];
            if (rest <= 0)
            {
                return draftProbs.Tokens[i];
            }
        }
    }
}
