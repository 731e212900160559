using System.Collections.Immutable;
using Forerun.Core.Sampling;

namespace Forerun.Core.Decoding;

/// <summary>Everything that determines a generation's text, and how it is to be decoded.</summary>
public sealed record GenerationRequest
{
    /// <summary>Prompt token ids, at least one.</summary>
    public required ImmutableArray<int> PromptTokens { get; init; }

    /// <summary>How each next token is chosen.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Default;

    /// <summary>Most output tokens, the end token included; 0 = until the context is full. Default 256.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Who drafts. Default <see cref="DecodingMode.Speculative"/>.</summary>
    public DecodingMode Mode { get; init; } = DecodingMode.Speculative;

    /// <summary>With <see cref="DecodingMode.Colocated"/>: most tokens of a draft; 0 (default) = as the verifier likes.
    /// </summary>
    public int DraftLength { get; init; }

    /// <summary>Asks for the log probability of each output token, and of so many of the likeliest tokens there,
    /// 0 … <see cref="Sampling.LogProbabilities.MaxTop"/>; null (default) = none. The text does not depend on it.</summary>
    public int? TopLogProbabilities { get; init; }

    /// <summary>Goes on past end tokens when true (benchmarks). Default false.</summary>
    public bool IgnoreEndTokens { get; init; }
}
