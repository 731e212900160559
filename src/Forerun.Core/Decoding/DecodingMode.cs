namespace Forerun.Core.Decoding;

/// <summary>Who drafts, and what overlaps. Every mode yields the same text.</summary>
public enum DecodingMode
{
    /// <summary>Nobody drafts; the cloud streams one token per target pass. The baseline.</summary>
    Autoregressive,

    /// <summary>The edge drafts, sends, waits for the verdict; nothing overlaps.</summary>
    Speculative,

    /// <summary>The cloud drafts beside its target and streams the verdicts; the edge needs no drafter.</summary>
    Colocated,
}
