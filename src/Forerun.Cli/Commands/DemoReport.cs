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
/// <param name="Equal">Whether all modes gave the same tokens; those of <see cref="EmulatedRun"/> too.</param>
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
    ImmutableArray<long> LinkBytes)
{
    /// <summary>Hardware whose times are emulated in these runs; null = the times are this machine's.</summary>
    public string? Emulated { get; init; }

    /// <summary>The mode with the least time per output token.</summary>
    public required string BestMode { get; init; }

    /// <summary>Autoregressive time per output token ÷ the best mode's.</summary>
    public double? BestSpeedup { get; init; }

    /// <summary>The same prompt with the times of emulated hardware, and fewer tokens; null when it was left out.</summary>
    public DemoReport? EmulatedRun { get; init; }

    /// <summary>Both reports as one: equal only if the emulated texts are the beginning of the plain ones.</summary>
    public DemoReport With(DemoReport emulatedRun) => this with
    {
        Equal = Equal && emulatedRun.Equal && Modes[0].Tokens.AsSpan().StartsWith(emulatedRun.Modes[0].Tokens.AsSpan()),
        EmulatedRun = emulatedRun,
    };
}
