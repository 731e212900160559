using Forerun.Core.Decoding;

namespace Forerun.Edge.PreDrafting;

/// <summary>A verdict (k, t) that may come, and what is drafted for it.</summary>
/// <param name="acceptedCount">Accepted count k.</param>
/// <param name="nextToken">Next token t.</param>
internal sealed class Guess(int acceptedCount, int nextToken)
{
    public int AcceptedCount { get; } = acceptedCount;

    public int NextToken { get; } = nextToken;

    /// <summary>Who gave it the best chance, as long as nothing was drafted for it.</summary>
    public VerdictPredictor Predictor { get; set; }

    /// <summary>Its chance without the newest announcement.</summary>
    public double Chance { get; set; }

    /// <summary>What is drafted for it; null = nothing yet.</summary>
    public PreDraft? PreDraft { get; set; }

    /// <summary>The draft that was sent; null = none.</summary>
    public Draft? Sent { get; set; }
}
