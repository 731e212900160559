using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>One way in which the text may go on from where the edge knows it. One caller at a time.</summary>
internal sealed class DraftLine
{
    private readonly List<double> _chances = [];

    /// <summary>The known text and the tokens that may follow it.</summary>
    public DraftBranch Branch { get; private set; } = new();

    /// <summary>Where the known text ends, as an absolute position.</summary>
    public int Start { get; private set; }

    /// <summary>The tokens that may follow the known text.</summary>
    public ReadOnlySpan<int> Tokens => Branch.Tokens[Start..];

    /// <summary>Tokens that may follow the known text.</summary>
    public int Count => _chances.Count;

    /// <summary>Of these, those that it took from another line, the token at which it left that one included.</summary>
    public int TakenOver => Count - Branch.Count;

    /// <summary>Of these, those that were offered.</summary>
    public int Offered { get; set; }

    /// <summary>Starts behind the known text, with what is drafted there.</summary>
    public void Begin(DraftBranch branch, VerdictOdds odds)
    {
        (Branch, Offered, Start) = (branch, 0, branch.ContextLength);
        _chances.Clear();
        Read(odds);
    }

    /// <summary>Follows another line up to one of its drafted tokens and takes another token there.</summary>
    /// <param name="line">The other line.</param>
    /// <param name="drafted">Its drafted tokens that are kept.</param>
    /// <param name="token">The token behind them.</param>
    /// <param name="chance">The chance of that token.</param>
    public void ForkFrom(DraftLine line, int drafted, int token, double chance)
    {
        Branch.ForkFrom(line.Branch, drafted, token, wanted: 0);
        (Offered, Start) = (0, line.Start);
        _chances.Clear();
        _chances.AddRange(line._chances.Take(line.TakenOver + drafted));
        _chances.Add(chance);
    }

    /// <summary>The chance of a token, where the text comes so far.</summary>
    public double ChanceAt(int index) => _chances[index];

    /// <summary>The chance that the text goes on with the first so many of the tokens.</summary>
    public double ChanceOf(int count)
    {
        var chance = 1.0;
        for (var i = 0; i < count; i++)
        {
            chance *= _chances[i];
        }

        return chance;
    }

    /// <summary>Takes in what was drafted.</summary>
    public void Read(VerdictOdds odds)
    {
        for (var i = Start + Count; i < Branch.Tokens.Length; i++)
        {
            _chances.Add(odds.First(Branch[i - Branch.ContextLength]));
        }
    }

    /// <summary>The known text has grown by the first so many of the tokens.</summary>
    public void Confirm(int count)
    {
        Start += count;
        _chances.RemoveRange(0, count);
        Offered = Math.Max(0, Offered - count);
        if (Start > Branch.ContextLength)
        {
            Branch.Confirm(Start - Branch.ContextLength);
        }
    }

    /// <summary>The known text went on otherwise, or further than the tokens do: nothing is drafted any more.</summary>
    /// <param name="agreed">The tokens that stand, at least those taken over.</param>
    /// <param name="tokens">What follows them in the text, at least one token.</param>
    public void Restart(int agreed, ReadOnlySpan<int> tokens)
    {
        Branch.Advance(agreed - TakenOver, tokens[0], wanted: 0);
        foreach (var token in tokens[1..])
        {
            Branch.Advance(0, token, wanted: 0);
        }

        (Offered, Start) = (0, Branch.ContextLength);
        _chances.Clear();
    }
}
