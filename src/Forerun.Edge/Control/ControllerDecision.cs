using System.Collections.Immutable;
using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>Why the controller chose.</summary>
public enum ControllerReason
{
    /// <summary>Too little is known: it streams, and offers or rehearses meanwhile.</summary>
    Survey,

    /// <summary>It is expected to be the fastest, or not slower by enough to change.</summary>
    Fastest,

    /// <summary>To see whether the estimates still hold.</summary>
    Exploration,
}

/// <summary>What a choice is expected to take.</summary>
/// <param name="Choice">Mode and draft length.</param>
/// <param name="MsPerToken">Milliseconds per output token, corrected by what it took before.</param>
public readonly record struct ExpectedLatency(DecodingChoice Choice, double MsPerToken);

/// <summary>A choice of the controller, and why.</summary>
/// <param name="Choice">What was chosen.</param>
/// <param name="Reason">Why.</param>
/// <param name="Estimates">What it knew.</param>
/// <param name="Expected">What it expected of every choice; empty in the survey.</param>
public sealed record ControllerDecision(
    DecodingChoice Choice,
    ControllerReason Reason,
    LatencyEstimates Estimates,
    ImmutableArray<ExpectedLatency> Expected);
