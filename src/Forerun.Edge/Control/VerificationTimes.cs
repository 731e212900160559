using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>What the target's passes take by their rows, and what part of it where the edge drafts nothing meanwhile: on one machine
/// drafting may slow the target down. One caller at a time.</summary>
/// <param name="maxRows">Most rows.</param>
internal sealed class VerificationTimes(int maxRows)
{
    private const int ComparedPerBeside = 4;
    private const double LeastShare = 0.25;
    private const double MostShare = 2;

    private readonly TimesByRows _beside = new(maxRows, memory: 128, firstMemory: 16);

    // What the last passes beside drafting took ÷ what was estimated.
    private readonly Smoothed _lately = new(prior: 1, priorWeight: 0, memory: 8);
    private readonly Smoothed _aloneShare = new(prior: 1, priorWeight: 4, memory: 32);
    private int _roundsAlone;

    /// <summary>Something was measured.</summary>
    public bool IsKnown => _beside.IsKnown;

    /// <summary>The part of <see cref="Estimate"/> that a pass takes while the edge drafts nothing; at most 1.</summary>
    public double AloneShare => Math.Min(1, _aloneShare.Value);

    /// <summary>Expected times of 1, 2, … rows while the edge drafts, <c>[maxRows]</c>.</summary>
    public double[] Estimate() => _beside.Estimate();

    /// <inheritdoc cref="TimesByRows.RowMs"/>
    public double RowMs => _beside.RowMs;

    /// <summary>A generation begins: passes of the one before are not just before its own.</summary>
    public void BeginGeneration() => _lately.Forget();

    /// <summary>Takes in a round.</summary>
    /// <param name="round">The round.</param>
    /// <param name="roundTripMs">Passes may be as much older than their verdicts.</param>
    public void Learn(DecodedRound round, double roundTripMs)
    {
        var ms = round.ServerTimings.Total.TotalMilliseconds;
        if (!round.IsAlone)
        {
            _roundsAlone = 0;
            _beside.Learn(round.DraftLength + 1, ms);
            if (Estimate()[round.DraftLength] is > 0 and var estimate)
            {
                _lately.Add(ms / estimate);
            }

            return;
        }

        // Only neighbours are compared: a program that has just started becomes faster for other reasons. Few passes beside drafting, as in a
        // rehearsal, say little, so only a few alone are compared with them.
        if (++_roundsAlone > ComparedPerBeside * _lately.Count)
        {
            _lately.Forget();
        }

        if (!round.Choice.Mode.IsStreamed() || _lately.Count == 0)
        {
            _beside.Learn(round.DraftLength + 1, ms / AloneShare);
            return;
        }

        var beside = _lately.Value * Estimate()[0];
        if ((_roundsAlone - 1) * beside > roundTripMs)
        {
            // Single passes may take longer alone: without these the mean would be too low wherever times vary.
            _aloneShare.Add(Math.Clamp(ms / beside, LeastShare, MostShare));
        }
    }
}
