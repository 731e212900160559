using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Edge;

public class StepTimesTests
{
    private readonly StepTimes _times = new();

    [Fact]
    public void IsWorthAnother_NothingKnown_AllBranches()
    {
        Assert.True(_times.IsWorthAnother(branches: 0, chances: 0, chance: 0.005));
        Assert.True(_times.IsWorthAnother(branches: 15, chances: 1, chance: 0.005));
        Assert.Equal((0, 0), (_times.FirstMs, _times.LatelyMs));
    }

    [Fact]
    public void IsWorthAnother_BranchesThatCostNothing_AllBranches()
    {
        LearnInTurn(1, 75, IDrafter.MaxBranches, 75);
        Assert.True(_times.IsWorthAnother(branches: 15, chances: 1, chance: 0.005));
    }

    /// <summary>A step of 10 ms with a chance of 0.5, one of 12 ms with 0.5 + chance.</summary>
    [Theory]
    [InlineData(0.2, true)]
    [InlineData(0.05, false)]
    public void IsWorthAnother_BranchThatCostsAFifth_WhereItBringsMoreInTheTime(double chance, bool isWorth)
    {
        LearnInTurn(1, 10, 2, 12);
        Assert.Equal(isWorth, _times.IsWorthAnother(branches: 1, chances: 0.5, chance));
    }

    [Fact]
    public void IsWorthAnother_BranchThatCostsAWholeStep_OneAfterTheOther()
    {
        LearnInTurn(1, 10, 2, 20);
        Assert.False(_times.IsWorthAnother(branches: 1, chances: 0.3, chance: 0.3));
    }

    [Fact]
    public void Learn_Interrupted_CountsWhereItHadTakenTooLongAlready()
    {
        Learn(branches: 1, ms: 10, steps: 8);
        var known = _times.FirstMs;
        Learn(branches: 1, ms: 1, steps: 8, isWhole: false);
        Assert.Equal(known, _times.FirstMs);
        Learn(branches: 1, ms: 30, steps: 8, isWhole: false);
        Assert.InRange(_times.FirstMs, 15, 30);
    }

    /// <summary>The first steps of a program, which compile and take many branches, must not keep it at single ones.</summary>
    [Fact]
    public void IsWorthAnother_AfterAColdStart_FollowsWhatStepsTakeNow()
    {
        LearnInTurn(1, 4, IDrafter.MaxBranches, 60);
        Assert.False(_times.IsWorthAnother(branches: 1, chances: 0.2, chance: 0.1));
        for (var i = 0; i < 400; i++)
        {
            Learn(branches: 1 + (i % 3), ms: 1.5 + (0.3 * (i % 3)), steps: 1);
        }

        Assert.True(_times.IsWorthAnother(branches: 1, chances: 0.2, chance: 0.1));
    }

    private void LearnInTurn(int branches, double ms, int otherBranches, double otherMs)
    {
        for (var i = 0; i < 32; i++)
        {
            Learn(branches, ms, steps: 1);
            Learn(otherBranches, otherMs, steps: 1);
        }
    }

    private void Learn(int branches, double ms, int steps, bool isWhole = true)
    {
        for (var i = 0; i < steps; i++)
        {
            _times.Learn(branches, TimeSpan.FromMilliseconds(ms), isWhole);
        }
    }
}
