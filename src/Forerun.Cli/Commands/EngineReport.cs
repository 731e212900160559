using System.Collections.Immutable;

namespace Forerun.Cli.Commands;

/// <summary>Times of passes with one row count.</summary>
/// <param name="Rows">Rows M, all with logits.</param>
/// <param name="MedianMs">Median of the passes.</param>
/// <param name="FastestMs">Fastest pass.</param>
/// <param name="OverDecode1">Median ÷ the median with one row.</param>
internal sealed record RowTiming(int Rows, double MedianMs, double FastestMs, double OverDecode1);

/// <summary>Result of <c>forerun bench engine</c>.</summary>
internal sealed record EngineReport
{
    public required string Model { get; init; }

    public required string InstructionSet { get; init; }

    public required string Weights { get; init; }

    public required int Threads { get; init; }

    public required int Context { get; init; }

    public required ImmutableArray<RowTiming> Results { get; init; }

    public required double Verify5OverDecode1 { get; init; }

    public required double Verify8OverDecode1 { get; init; }

    public required double Prefill512Ms { get; init; }

    /// <summary>Weights and keys and values that one decode step reads.</summary>
    public required double DecodeMegabytes { get; init; }

    public required double DecodeGigabytesPerSecond { get; init; }

    /// <summary>Plain reading of as many bytes by as many threads.</summary>
    public required double ReadGigabytesPerSecond { get; init; }

    public required double DecodeShareOfBandwidth { get; init; }

    public required double LoadMs { get; init; }

    /// <summary>Peak resident memory before the bandwidth is measured.</summary>
    public required double PeakMegabytes { get; init; }

    public required double WeightMegabytes { get; init; }

    public required double KvMegabytes { get; init; }
}
