using Forerun.Inference.Exits;
using Forerun.Training;

namespace Forerun.UnitTests.Training;

public class CalibrationTests
{
    [Fact]
    public void Fit_LeadsOfAKnownCurve_FindsIt()
    {
        var random = new Random(3);
        var truth = new LeadCurve(-0.5f, 0.8f, 0.4f);
        var leads = Enumerable.Range(0, 20_000).Select(_ => random.NextSingle() * 5).ToArray();
        var right = leads.Select(lead => random.NextDouble() < truth.Probability(lead)).ToArray();
        var w = LogisticFit.Fit([.. leads.Select(lead => new[] { 1, lead, Math.Log(1 + lead) })], right, [0, 0.5, 0]);
        var fitted = new LeadCurve((float)w[0], (float)w[1], (float)w[2]);
        for (var lead = 0f; lead < 5f; lead += 0.5f)
        {
            Assert.Equal(truth.Probability(lead), fitted.Probability(lead), 0.03);
        }
    }

    /// <summary>Most leads at the end of a long range: a plain Newton step overshoots there.</summary>
    [Fact]
    public void Fit_LeadsOfALongRange_FindsTheShares()
    {
        var random = new Random(4);
        var leads = Enumerable.Range(0, 5_000).Select(i => i % 3 == 0 ? 22f : random.NextSingle() * 3).ToArray();
        var right = leads.Select(lead => random.NextDouble() < (lead > 20 ? 0.98 : 0.3 + (0.1 * lead))).ToArray();
        var w = LogisticFit.Fit([.. leads.Select(lead => new[] { 1, lead, Math.Log(1 + lead) })], right, [0, 0.5, 0]);
        var fitted = new LeadCurve((float)w[0], (float)w[1], (float)w[2]);
        Assert.Equal(0.98, fitted.Probability(22), 0.02);
        Assert.Equal(0.4, fitted.Probability(1), 0.05);
        Assert.Equal(0.55, fitted.Probability(2.5f), 0.05);
    }

    [Fact]
    public void Fit_EveryExampleRight_StaysFinite()
    {
        var w = LogisticFit.Fit([[1d, 2d], [1d, 3d]], [true, true], [0, 0.5]);
        Assert.All(w, value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void Fit_SyntheticRounds_ConfidenceIsCalibratedOnOthers()
    {
        var calibration = CalibrationFit.Fit([.. CalibrationFit.Bonuses.Select(_ => Rounds(1))]);
        var others = Rounds(2);
        var score = VerdictScore.Of(
            [.. others.Select(choice => new ScoredChoice(
                choice, calibration.Confidence(CalibrationFit.Product(calibration, choice))))],
            others);
        Assert.InRange(score.CalibrationError, 0, 0.03);
        Assert.InRange(score.Right, 0.2, 0.9);
        Assert.Equal(others.Length, score.Bins.Sum(bin => bin.Count));
        Assert.True(score.Bins.Length > 3);
    }

    [Fact]
    public void Choose_ExitsOfSyntheticScores_KeepsWhatPays()
    {
        ExitScore[] scores = [Score(6, 0.2, 0.012), Score(15, 0.6, 0.012), Score(20, 0.62, 0.012), Score(27, 0.9, 0.012)];
        Assert.Equal([15], ExitPlacement.Choose(scores, 30, 1));
        Assert.Equal([6, 15], ExitPlacement.Choose(scores, 30, 2));
        Assert.Equal([15], ExitPlacement.Choose([Score(15, 0.6, 0.5), Score(20, 0.62, 0.5)], 30, 2));
        Assert.Equal((0.2 * 0.8) - 0.012 + (0.4 * 0.5) - 0.012, ExitPlacement.Benefit(scores[..2], 30), 1e-9);
    }

    /// <summary>Rounds of four draft tokens; a row is right with σ(lead - 0.5).</summary>
    private static RoundChoice[] Rounds(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 4_000).Select(_ =>
        {
            var accepted = random.Next(5);
            var leads = Enumerable.Range(0, accepted + 1).Select(_ => random.NextSingle() * 8).ToArray();
            int[] draft = [1, 1, 1, 1];
            int[] tokens = [.. leads.Select((_, row) => row < accepted ? 1 : 2)];
            int[] target = [.. Enumerable.Range(0, 5).Select(row => row <= accepted
                ? random.NextDouble() < LeadCurve.Sigmoid(leads[row] - 0.5) ? tokens[row] : 3
                : 3)];
            var count = Enumerable.Range(0, 5).First(row => row == 4 || target[row] != 1);
            return new RoundChoice([.. tokens], [.. leads], new HeldOutRound(0, 9, [.. draft], count, [.. target]), target[count], true);
        })];
    }

    private static ExitScore Score(int layer, double right, double cost)
    {
        var verdicts = new VerdictScore
        {
            Rounds = 100,
            Right = right,
            CountRight = right,
            RightWithoutBonus = right,
            RightAfterRejection = 0,
            NextTokenRight = 0,
            Reachable = 1,
            Bins = [],
        };
        return new ExitScore
        {
            Layer = layer,
            Parameters = 1,
            CostShare = cost,
            RidgeLoss = 1,
            RidgeAgreement = 0,
            Loss = 1,
            Agreement = 0,
            Greedy = verdicts,
            Sampled = verdicts,
        };
    }
}
