namespace Forerun.Core.Sampling;

/// <summary>What decides whether a draft token stands. Greedy sampling knows one rule only: it stands when it is the
/// target's own.</summary>
public enum AcceptanceRule
{
    /// <summary>A draft token stands when it is the token that the target itself draws with <see cref="SharedNoise"/>. The
    /// text does not depend on who drafts.</summary>
    SharedNoise,

    /// <summary>A draft token x stands with probability min(1, p(x) / q(x)), p the target's probability and q the drafter's;
    /// else a token of the residual takes its place. The text has the target's distribution, but depends on who drafts.
    /// </summary>
    Rejection,
}
