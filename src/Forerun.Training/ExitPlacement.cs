using System.Collections.Immutable;

namespace Forerun.Training;

/// <summary>Chooses the exits to keep. Pure; thread-safe.</summary>
/// <remarks>An announcement is worth the time that is left when it comes, if it is right. For layers e1 &lt; e2 &lt; … with shares
/// right r1, r2, … in a target of L layers, each exit adds what it newly gets right:
/// <c>benefit = Σ max(0, r_i - r_(i-1)) · (1 - e_i / L) - Σ cost_i</c>, with r_0 = 0, and costs and time left in passes.
/// </remarks>
public static class ExitPlacement
{
    /// <summary>The most beneficial set.</summary>
    /// <param name="scores">Candidates by ascending layer.</param>
    /// <param name="numHiddenLayers">The target's layers L.</param>
    /// <param name="maxExits">Most exits.</param>
    /// <returns>Layers, ascending; at least one.</returns>
    public static ImmutableArray<int> Choose(IReadOnlyList<ExitScore> scores, int numHiddenLayers, int maxExits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxExits, 1);
        ArgumentOutOfRangeException.ThrowIfZero(scores.Count, nameof(scores));
        return Subsets(scores, maxExits).MaxBy(subset => Benefit(subset, numHiddenLayers))!
            .Select(score => score.Layer).ToImmutableArray();
    }

    /// <summary>Expected time won per round, in passes.</summary>
    public static double Benefit(IEnumerable<ExitScore> exits, int numHiddenLayers)
    {
        var (benefit, known) = (0d, 0d);
        foreach (var exit in exits)
        {
            benefit += (Math.Max(0, exit.Right - known) * (1 - ((double)exit.Layer / numHiddenLayers))) - exit.CostShare;
            known = Math.Max(known, exit.Right);
        }

        return benefit;
    }

    private static IEnumerable<ImmutableArray<ExitScore>> Subsets(IReadOnlyList<ExitScore> scores, int maxExits)
    {
        List<ImmutableArray<ExitScore>> subsets = [[]];
        foreach (var score in scores)
        {
            subsets.AddRange(subsets.Where(subset => subset.Length < maxExits).Select(subset => subset.Add(score)).ToArray());
        }

        return subsets.Where(subset => subset.Length > 0);
    }
}
