using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.PreDrafting;
using Forerun.Inference.Drafting;

namespace Forerun.UnitTests.Edge;

public class VerdictOddsTests
{
    private const float Close = 0.1f;
    private const float Clear = 9f;

    [Fact]
    public void Learn_ByMargin()
    {
        var odds = new VerdictOdds();
        var (close, clear) = (new DraftedToken(1, new([2, 3]), 0.1f), new DraftedToken(1, new([2, 3]), 9f));
        Assert.True(odds.First(close) < odds.First(clear));
        for (var i = 0; i < 200; i++)
        {
            odds.Learn(close, 2);
            odds.Learn(clear, 1);
        }

        Assert.InRange(odds.First(close), 0, 0.01);
        Assert.InRange(odds.Alternative(close, 0), 0.95, 1);
        Assert.InRange(odds.Alternative(close, 1), 0, 0.01);
        Assert.InRange(odds.First(clear), 0.99, 1);
        Assert.InRange(odds.First(new DraftedToken(1)), 0.5, 0.7);
    }

    [Fact]
    public void Learn_Verdict_TakesInTheTokenBehindTheDraftToo()
    {
        var (odds, untouched) = (new VerdictOdds(), new VerdictOdds());
        using var branch = Branch(Clear, Close);
        odds.Learn(branch, new Verdict(1, 1, NextToken: 1, default));
        Assert.True(odds.First(branch[0]) > untouched.First(branch[0]));
        Assert.True(odds.First(branch[1]) > untouched.First(branch[1]));

        var last = new VerdictOdds();
        last.Learn(branch, new Verdict(1, 1, NextToken: 7, default, IsLast: true));
        Assert.Equal(untouched.First(branch[1]), last.First(branch[1]));
    }

    [Theory]
    [InlineData(0, 4, 4)]
    [InlineData(0, 3, 3)]
    [InlineData(0.285, 4, 3)]
    [InlineData(0.4, 4, 2)]
    [InlineData(0.4, 1, 1)]
    [InlineData(0.99, 4, 1)]
    public void DraftLength_EndsBeforeATokenThatIsNotWorthIt(double least, int most, int length)
    {
        // The chances of being accepted so far are 0.98, 0.96, 0.288 and 0.282.
        var odds = new VerdictOdds { LeastDraftChance = least };
        using var branch = Branch(Clear, Clear, Close, Clear);
        Assert.Equal(length, odds.DraftLength(branch, most));
    }

    /// <summary>A draft that ended depending on what was drawn would favour the tokens that do not end it.</summary>
    [Fact]
    public void DraftLength_DrawnUnderRejectionSampling_IsWhole()
    {
        var odds = new VerdictOdds { LeastDraftChance = 1 };
        using var branch = new DraftBranch();
        branch.Follow([1, 2], wanted: 3);
        for (var i = 0; i < 3; i++)
        {
            branch.Append(DraftedToken.Draw(SparseDistribution.Certain(5), seed: 1, position: 2 + i));
        }

        Assert.Equal(3, odds.DraftLength(branch, most: 3));
    }

    private static DraftBranch Branch(params ImmutableArray<float> margins)
    {
        var branch = new DraftBranch();
        branch.Follow([1, 2], margins.Length);
        foreach (var margin in margins)
        {
            branch.Append(new DraftedToken(1, new([2, 3]), margin));
        }

        return branch;
    }
}
