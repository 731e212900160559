using System.Collections.Immutable;
using Forerun.Cli.Running;

namespace Forerun.Cli.Commands;

/// <summary>Result of <c>forerun demo</c>.</summary>
/// <param name="Prompt">What was asked.</param>
/// <param name="Link">The emulated link.</param>
/// <param name="EmulatedRoundTripMs">Its round trip.</param>
/// <param name="MeasuredRoundTripMs">Median of empty requests through it.</param>
/// <param name="DraftLength">Tokens drafted per round.</param>
/// <param name="Pinned">Whether each process had a core of its own.</param>
/// <param name="Equal">Whether all modes gave the same tokens.</param>
/// <param name="Speedup">Autoregressive time per output token ÷ speculative.</param>
/// <param name="AcceptanceRate">Accepted ÷ drafted of the speculative run.</param>
/// <param name="Modes">The runs.</param>
/// <param name="LinkBytes">TCP bytes of each run, both directions.</param>
internal sealed record DemoReport(
    string Prompt,
    string Link,
    double EmulatedRoundTripMs,
    double MeasuredRoundTripMs,
    int DraftLength,
    bool Pinned,
    bool Equal,
    double? Speedup,
    double? AcceptanceRate,
    ImmutableArray<GenerationReport> Modes,
    ImmutableArray<long> LinkBytes);
