using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Edge.Generation;

/// <summary>How texts are generated. No text depends on it, but for the mode <see cref="DecodingMode.EdgeOnly"/> and the rule of
/// acceptance.</summary>
public sealed record TextGeneratorOptions
{
    /// <summary>The defaults.</summary>
    public static TextGeneratorOptions Default { get; } = new();

    /// <summary>Who drafts; null (default) = <see cref="DecodingMode.Auto"/> where there is a drafter, else
    /// <see cref="DecodingMode.Autoregressive"/>. <see cref="DecodingMode.EdgeOnly"/> goes with an
    /// <see cref="EdgeOnly.EdgeOnlyVerifier"/>.</summary>
    public DecodingMode? Mode { get; init; }

    /// <summary>What decides whether a draft token stands. Default <see cref="AcceptanceRule.SharedNoise"/>: no text depends on
    /// who drafts; under <see cref="AcceptanceRule.Rejection"/> sampled texts do.</summary>
    public AcceptanceRule Acceptance { get; init; }

    /// <summary>How the edge drafts.</summary>
    public EdgeDecoderOptions Decoder { get; init; } = EdgeDecoderOptions.Default;

    /// <summary>Most generations that wait for a drafter; more are refused as overloaded. Default 16.</summary>
    public int MaxQueued { get; init; } = 16;
}
