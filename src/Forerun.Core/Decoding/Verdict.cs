using System.Collections.Immutable;
using Forerun.Core.Sampling;

namespace Forerun.Core.Decoding;

/// <summary>What a verification sends to the edge: announcements while it runs, one verdict, and an end.</summary>
public abstract record VerificationEvent;

/// <summary>The answer to a sign of life: says nothing about the text.</summary>
public sealed record SignOfLife : VerificationEvent;

/// <summary>An exit's provisional verdict, sent in the middle of a verification.</summary>
/// <param name="Round">The round being verified.</param>
/// <param name="ExitLayer">Number of layers run when the exit looked, 1 … layers - 1.</param>
/// <param name="AcceptedCount">Provisional accepted count k'.</param>
/// <param name="NextToken">Provisional next token t'.</param>
/// <param name="Confidence">Calibrated probability in [0, 1] that (k', t') is right.</param>
public sealed record Announcement(int Round, int ExitLayer, int AcceptedCount, int NextToken, float Confidence)
    : VerificationEvent;

/// <summary>The final message of a round: the first <paramref name="AcceptedCount"/> draft tokens stand, then comes
/// <paramref name="NextToken"/>. A round yields <c>AcceptedCount + 1</c> output tokens.</summary>
/// <remarks>An end token is never counted as accepted: it is always the next token, also where it was drafted. The
/// same holds for the last token that the limits allow.</remarks>
/// <param name="Round">The round this verdict ends.</param>
/// <param name="AcceptedCount">Accepted count k, 0 … draft length.</param>
/// <param name="NextToken">Next token t: recovered or bonus.</param>
/// <param name="Timings">What the round cost the server.</param>
/// <param name="IsLast">The generation is over and its <see cref="GenerationEnd"/> follows; nothing is to be drafted.
/// </param>
public sealed record Verdict(
    int Round, int AcceptedCount, int NextToken, ServerTimings Timings, bool IsLast = false) : VerificationEvent
{
    /// <summary>Where the edge cannot know which draft was verified, as the server drafted or took an offer: the accepted tokens,
    /// <c>[acceptedCount]</c>; else empty (default).</summary>
    public ImmutableArray<int> AcceptedTokens { get; init; } = [];

    /// <summary>There too: tokens that were verified; else 0 (default).</summary>
    public int DraftLength { get; init; }

    /// <summary>How likely the target held each output token, <c>[acceptedCount + 1]</c>; empty (default) unless asked for.
    /// </summary>
    public ImmutableArray<LogProbabilities> LogProbabilities { get; init; } = [];
}

/// <summary>The generation is over; nothing follows.</summary>
/// <param name="Reason">Why it ended.</param>
/// <param name="Usage">What it cost.</param>
public sealed record GenerationEnd(FinishReason Reason, Usage Usage) : VerificationEvent;

/// <summary>Server times of one round.</summary>
/// <param name="Queue">Waiting for a pass.</param>
/// <param name="Compute">The target's pass, prefill included.</param>
public readonly record struct ServerTimings(TimeSpan Queue, TimeSpan Compute)
{
    /// <summary>Both together.</summary>
    public TimeSpan Total => Queue + Compute;
}

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>An end token was the next token.</summary>
    Stop,

    /// <summary>The token limit was reached.</summary>
    Length,

    /// <summary>The context is full.</summary>
    ContextFull,
}

/// <summary>Counts of one generation.</summary>
public sealed record Usage
{
    /// <summary>Prompt tokens.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Prompt tokens that were not computed again: another generation's cache began with them.</summary>
    public int ReusedPromptTokens { get; init; }

    /// <summary>Output tokens, the end token included.</summary>
    public int OutputTokens { get; init; }

    /// <summary>Rounds, that is verdicts.</summary>
    public int Rounds { get; init; }

    /// <summary>Target passes: prefill passes and verifications.</summary>
    public int TargetPasses { get; init; }

    /// <summary>Draft tokens that the target verified.</summary>
    public int DraftedTokens { get; init; }

    /// <summary>Draft tokens that were accepted.</summary>
    public int AcceptedTokens { get; init; }

    /// <summary>Drafts that came with an assumption, before or after the verdict they were about.</summary>
    public int QueuedDrafts { get; init; }

    /// <summary>Of these, those whose assumption came true and that were verified.</summary>
    public int MatchedDrafts { get; init; }

    /// <summary>Of these, those that were dropped: another verdict came, or they came twice.</summary>
    public int DroppedDrafts => QueuedDrafts - MatchedDrafts;

    /// <summary>Server time spent computing.</summary>
    public TimeSpan Compute { get; init; }

    /// <summary>Accepted ÷ drafted; null when nothing was drafted.</summary>
    public double? AcceptanceRate => DraftedTokens == 0 ? null : (double)AcceptedTokens / DraftedTokens;
}
