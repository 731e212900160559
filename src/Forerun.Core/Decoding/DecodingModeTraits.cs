namespace Forerun.Core.Decoding;

/// <summary>What the decoding modes have in common. Pure; thread-safe.</summary>
public static class DecodingModeTraits
{
    /// <summary>Whether the mode needs a drafter on the edge.</summary>
    public static bool DraftsOnEdge(this DecodingMode mode) =>
        mode is not (DecodingMode.Autoregressive or DecodingMode.Colocated or DecodingMode.EdgeOnly);

    /// <summary>Whether the edge drafts while the target verifies, and so listens to announcements.</summary>
    public static bool DraftsAhead(this DecodingMode mode) => mode is DecodingMode.Preemptive or DecodingMode.Pipelined;

    /// <summary>Whether the target goes on by itself and its verdicts cost one round trip in all.</summary>
    public static bool IsStreamed(this DecodingMode mode) => mode is DecodingMode.Autoregressive or DecodingMode.Asynchronous;
}
