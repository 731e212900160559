using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference.Exits;
using Forerun.UnitTests.Inference;

namespace Forerun.UnitTests.Exits;

public class ExitAnnouncerTests
{
    private const int Base = 8;

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(0.8f, 0.9f)]
    [InlineData(1.3f, 1f)]
    public void Announce_RandomDrafts_FollowsTheAcceptanceRule(float temperature, float topP)
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q4_1");
        var file = RandomExits.File(target, 1);
        using var heads = new ExitHeads(file, target);
        using var scratch = heads.CreateScratch(5, 4);
        var sampling = new SamplingOptions { Temperature = temperature, TopP = topP, Seed = 9, RepetitionPenalty = 1.2f };
        var limits = new GenerationLimits(200, Base, maxTokens: 100, [3]);
        var announcer = new ExitAnnouncer(heads, sampling, limits);
        var accepted = 0;
        for (var round = 0; round < 40; round++)
        {
            var tokens = TinyModels.Tokens(round, Base + 4);
            var hidden = Rows(target, tokens);
            var expected = Expected(announcer, scratch, target, hidden, tokens, sampling, limits);

            // A draft that the exit agrees with in part.
            tokens[Base] = round % 2 == 0 ? expected.NextToken : tokens[Base];
            hidden = Rows(target, tokens);
            expected = Expected(announcer, scratch, target, hidden, tokens, sampling, limits);
            var actual = announcer.Announce(scratch, 0, hidden, tokens, Base);
            Assert.Equal((expected.AcceptedCount, expected.NextToken), (actual.AcceptedCount, actual.NextToken));
            Assert.InRange(actual.Confidence, 0f, 1f);
            accepted += actual.AcceptedCount;
        }

        Assert.True(accepted > 0, "No draft token was ever accepted: the test shows nothing.");
    }

    [Theory]
    [InlineData(0.8f, 0.9f)]
    [InlineData(1.3f, 1f)]
    public void Announce_Rejection_FollowsTheRuleWithTheRoundsNumbers(float temperature, float topP)
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q4_1");
        using var heads = new ExitHeads(RandomExits.File(target, 1), target);
        using var scratch = heads.CreateScratch(5, 4);
        var sampling = new SamplingOptions
        {
            Temperature = temperature,
            TopP = topP,
            Seed = 9,
            RepetitionPenalty = 1.2f,
            Acceptance = AcceptanceRule.Rejection,
        };
        var limits = new GenerationLimits(200, Base, maxTokens: 100, [3]);
        var announcer = new ExitAnnouncer(heads, sampling, limits);
        var accepted = 0;
        for (var round = 0; round < 60; round++)
        {
            // A draft that the exit may agree with in part: of its own token, a q that gives it little weight.
            var tokens = TinyModels.Tokens(round, Base + 4);
            SparseDistribution[] draftProbs = [.. tokens[Base..].Select(SparseDistribution.Certain)];
            var hidden = Rows(target, tokens);
            var expected = Expected(announcer, scratch, target, hidden, tokens, sampling, limits, draftProbs);
            tokens[Base] = round % 2 == 0 ? expected.NextToken : tokens[Base];
            draftProbs[0] = SparseDistribution.Create([tokens[Base], tokens[Base] + 1], [400, SparseDistribution.Total - 400]);
            hidden = Rows(target, tokens);
            expected = Expected(announcer, scratch, target, hidden, tokens, sampling, limits, draftProbs);
            var actual = announcer.Announce(scratch, 0, hidden, tokens, Base, draftProbs);
            Assert.Equal((expected.AcceptedCount, expected.NextToken), (actual.AcceptedCount, actual.NextToken));
            Assert.InRange(actual.Confidence, 0f, 1f);
            accepted += actual.AcceptedCount;
        }

        Assert.InRange(accepted, 1, (60 * 4) - 1);
    }

    [Fact]
    public void Announce_NothingDrafted_AnnouncesTheNextToken()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q4_1");
        using var heads = new ExitHeads(RandomExits.File(target, 1), target);
        using var scratch = heads.CreateScratch(1, 0);
        var announcer = new ExitAnnouncer(heads, SamplingOptions.Default, new GenerationLimits(200, Base, 100));
        var tokens = TinyModels.Tokens(1, Base);
        var verdict = announcer.Announce(scratch, 0, Rows(target, tokens), tokens, Base);
        Assert.Equal(0, verdict.AcceptedCount);
        Assert.Contains(verdict.NextToken, heads.Shortlist);
    }

    [Fact]
    public void Announce_DraftBonus_AcceptsEveryDraftToken()
    {
        using var target = TinyModels.Load("smollm-gqa-tied-q4_1");
        var file = RandomExits.File(target, 1);
        var exit = file.Exits[0] with { Greedy = ExitCalibration.Default with { DraftBonus = 1000f } };
        using var heads = new ExitHeads(file with { Exits = [exit] }, target);
        using var scratch = heads.CreateScratch(5, 4);
        var announcer = new ExitAnnouncer(heads, SamplingOptions.Default, new GenerationLimits(200, Base, 100));
        var tokens = TinyModels.Tokens(2, Base + 4);
        Assert.Equal(4, announcer.Announce(scratch, 0, Rows(target, tokens), tokens, Base).AcceptedCount);
    }

    [Fact]
    public void Confidence_LargerLeads_IsLarger()
    {
        var calibration = new ExitCalibration(0, new LeadCurve(-1, 0.4f, 0.3f), LeadCurve.Default, -0.1f, 1.1f);
        var last = 0f;
        for (var lead = 0f; lead < 20f; lead += 0.5f)
        {
            var confidence = calibration.Confidence(calibration.Agrees.Probability(lead));
            Assert.True(confidence > last || confidence > 0.999f);
            last = confidence;
        }

        Assert.Equal(0.7f, ExitCalibration.Default.Confidence(0.7), 1e-6f);
    }

    private static float[] Rows(Forerun.Inference.LanguageModel target, int[] tokens)
    {
        var (hidden, _) = RandomExits.Hidden(target, 1, tokens);
        return hidden[((Base - 1) * target.Config.HiddenSize)..];
    }

    /// <summary>Copies logits out, adds the bonus, samples with a sampler over exactly these tokens.</summary>
    private static AcceptanceResult Expected(
        ExitAnnouncer announcer,
        ExitScratch scratch,
        Forerun.Inference.LanguageModel target,
        float[] hidden,
        int[] tokens,
        SamplingOptions sampling,
        GenerationLimits limits,
        SparseDistribution[]? draftProbs = null)
    {
        scratch.SetCandidates(tokens.AsSpan(Base));
        scratch.Run(0, hidden);
        var vocabulary = scratch.Tokens.ToArray();
        var sampler = new TokenSampler(sampling, target.Config.VocabSize, [.. vocabulary]);
        var rows = Enumerable.Range(0, tokens.Length - Base + 1).Select(row =>
        {
            var logits = scratch.Logits(row).ToArray();
            if (row < tokens.Length - Base)
            {
                logits[Array.BinarySearch(vocabulary, tokens[Base + row])] += announcer.Calibration(0).DraftBonus;
            }

            var history = tokens.AsSpan(0, Base + row);
            return row < draftProbs?.Length
                ? sampler.Verify(logits, Base + row, history, tokens[Base + row], draftProbs[row])
                : sampler.Sample(logits, Base + row, history);
        }).ToArray();
        return Acceptance.Accept(tokens.AsSpan(Base), Base, limits, rows, static (chosen, row) => chosen[row]);
    }
}
