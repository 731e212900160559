using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.Control;

namespace Forerun.Edge;

/// <summary>What one round yielded.</summary>
public sealed record DecodedRound
{
    /// <summary>Number of the round, from 1.</summary>
    public required int Round { get; init; }

    /// <summary>Output tokens: the accepted ones and the next token, <c>[acceptedCount + 1]</c>.</summary>
    public required ImmutableArray<int> Tokens { get; init; }

    /// <summary>How likely the target held each of the tokens, <c>[acceptedCount + 1]</c>; empty unless asked for.</summary>
    public ImmutableArray<LogProbabilities> LogProbabilities { get; init; } = [];

    /// <summary>How it was decoded. A draft that was made ahead may have another length.</summary>
    public DecodingChoice Choice { get; init; }

    /// <summary>Draft tokens of this round; 0 in autoregressive mode.</summary>
    public int DraftLength { get; init; }

    /// <summary>Draft tokens that were accepted.</summary>
    public int AcceptedCount { get; init; }

    /// <summary>The draft was sent before the verdict of the round before.</summary>
    public bool IsSentAhead { get; init; }

    /// <summary>What was drafted for the next round while this one was verified.</summary>
    public PreDraftStatistics PreDrafts { get; init; } = PreDraftStatistics.None;

    /// <summary>In a streamed round: how a draft would have fared, where one was compared to its end.</summary>
    internal RehearsedDraft? Rehearsed { get; init; }

    /// <summary>The edge drafted nothing while the target was at work.</summary>
    internal bool IsAlone { get; init; }

    /// <summary>In a round that waits for the edge's draft: it has fewer tokens than it could have had.</summary>
    internal bool EndsEarly { get; init; }

    /// <summary>In such a round: a draft token more, without the first, for which the drafter also reads the text; null = not measured.
    /// </summary>
    internal TimeSpan? DraftStepTime { get; init; }

    /// <summary>Time the edge took to draft before it could send: what was drafted ahead is not in it.</summary>
    public TimeSpan DraftTime { get; init; }

    /// <summary>Time from sending the draft until its verdict came; from the verdict before where it was sent ahead.
    /// </summary>
    public TimeSpan WaitTime { get; init; }

    /// <summary>A message and its answer, where that was measured.</summary>
    internal TimeSpan? RoundTripTime { get; init; }

    /// <summary>The server's part of <see cref="WaitTime"/>.</summary>
    public ServerTimings ServerTimings { get; init; }

    /// <summary>Message bytes of the generation so far.</summary>
    public WireBytes Bytes { get; init; }

    /// <summary>Why the target did not take part: set where <see cref="EdgeDecoderOptions.Fallback"/> decodes.</summary>
    public VerificationError? Loss { get; init; }

    /// <summary>Set on the last round only.</summary>
    public GenerationEnd? End { get; init; }
}

/// <summary>A whole generation.</summary>
/// <param name="Tokens">All output tokens, the end token included where there is one.</param>
/// <param name="End">Why it ended and what it cost.</param>
/// <param name="Bytes">Message bytes of the generation.</param>
public sealed record DecodedGeneration(ImmutableArray<int> Tokens, GenerationEnd End, WireBytes Bytes);
