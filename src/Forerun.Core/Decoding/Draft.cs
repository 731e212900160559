using System.Collections.Immutable;
using Forerun.Core.Sampling;

namespace Forerun.Core.Decoding;

/// <summary>One block of proposed tokens.</summary>
/// <param name="Round">Number of the round this draft belongs to, from 1.</param>
/// <param name="BasePosition">Absolute position of the first draft token: prompt and output tokens before it.</param>
/// <param name="Tokens">The proposed token ids, <c>[draftLength]</c>; may be empty.</param>
/// <param name="Assumption">What the draft takes for granted; null when it follows a known verdict.</param>
public sealed record Draft(int Round, int BasePosition, ImmutableArray<int> Tokens, Assumption? Assumption = null)
{
    /// <summary>What each token was drawn from, <c>[draftLength]</c>; empty (default) where the rule of acceptance does not ask
    /// (<see cref="SamplingOptions.NeedsDraftProbs"/>).</summary>
    public ImmutableArray<SparseDistribution> DraftProbs { get; init; } = [];
}

/// <summary>"Round <paramref name="Round"/> ends with <paramref name="AcceptedCount"/> accepted tokens and next token
/// <paramref name="NextToken"/>."</summary>
/// <param name="Round">The round whose verdict is assumed.</param>
/// <param name="AcceptedCount">Assumed accepted count k.</param>
/// <param name="NextToken">Assumed next token t.</param>
public readonly record struct Assumption(int Round, int AcceptedCount, int NextToken);
