using Forerun.Edge.Control;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>What a step of the drafter takes by its branches, and so how many of them are worth drafting together. One caller at a
/// time.</summary>
internal sealed class StepTimes
{
    // What comes during a step waits for it, or ends it: a longer one loses more than its time.
    private const double Haste = 1.25;

    // Short: what many branches took once, when the program had just started, must not keep steps from trying more of them for long.
    private readonly TimesByRows _times = new(IDrafter.MaxBranches, memory: 64, firstMemory: 16);
    private readonly Smoothed _lately = new(prior: 0, priorWeight: 0, memory: 16);
    private double _first;
    private double _more;

    /// <summary>Expected time of one branch alone, in milliseconds; 0 = not known.</summary>
    public double FirstMs => _times.Estimate()[0];

    /// <summary>What steps took lately, in milliseconds; 0 = not known.</summary>
    public double LatelyMs => _lately.Value;

    /// <summary>Takes in a step.</summary>
    /// <param name="branches">Its branches, at least one.</param>
    /// <param name="taken">What it took.</param>
    /// <param name="isWhole">False = it was interrupted: it would have taken at least that long.</param>
    public void Learn(int branches, TimeSpan taken, bool isWhole = true)
    {
        var ms = taken.TotalMilliseconds;
        if (isWhole || ms > TimeOf(branches))
        {
            _times.Learn(branches, ms);
            _lately.Add(ms);
            (_first, _more) = _times.Line();
        }
    }

    /// <summary>Whether a step is worth another branch: with it, the step drafts more tokens that are needed per unit of time.
    /// </summary>
    /// <param name="branches">Branches that it has.</param>
    /// <param name="chances">The chances that their tokens are needed, summed.</param>
    /// <param name="chance">The chance that the other one's token is.</param>
    public bool IsWorthAnother(int branches, double chances, double chance) =>
        branches == 0 || chance * TimeOf(branches) >= Haste * chances * _more;

    private double TimeOf(int branches) => _first + (_more * (branches - 1));
}
