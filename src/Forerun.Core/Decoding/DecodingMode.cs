namespace Forerun.Core.Decoding;

/// <summary>Who drafts, and what overlaps. Every mode but <see cref="EdgeOnly"/> yields the same text: the target's.</summary>
public enum DecodingMode
{
    /// <summary>Nobody drafts; the cloud streams one token per target pass. The baseline.</summary>
    Autoregressive,

    /// <summary>The edge drafts, sends, waits for the verdict; nothing overlaps.</summary>
    Speculative,

    /// <summary>As speculative; while the target verifies, the edge drafts ahead for the verdicts it expects.</summary>
    Preemptive,

    /// <summary>As preemptive, and what is drafted ahead is sent ahead: the server starts on it in the instant of the
    /// verdict it was drafted for.</summary>
    Pipelined,

    /// <summary>Neither side waits for the other: the target decodes on as in autoregressive, the edge drafts beside it and offers
    /// what it drafted. Where an offer fits the text, the target verifies it instead of decoding one token.
    /// Never on the wire: it is opened as pipelined.</summary>
    Asynchronous,

    /// <summary>The cloud drafts beside its target and streams the verdicts; the edge needs no drafter.</summary>
    Colocated,

    /// <summary>The edge chooses among the modes above, except colocated, and the draft length: round by round, from what it
    /// measures. Never on the wire.</summary>
    Auto,

    /// <summary>The draft model alone, when there is no cloud: degraded service, chosen and never silent. The text is the
    /// draft model's own, not the target's. Never on the wire.</summary>
    EdgeOnly,
}
