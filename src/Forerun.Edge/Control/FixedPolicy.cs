using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>One mode and draft length for all rounds.</summary>
internal sealed class FixedPolicy(DecodingChoice choice) : IDecodingPolicy
{
    /// <inheritdoc/>
    public int RoundsInFlight => 0;

    /// <inheritdoc/>
    /// <remarks>Only an asynchronous generation asks, and its stream never ends: the target is told once.</remarks>
    public int RoundsPerGrant => 1 << 20;

    /// <inheritdoc/>
    public DecodingMode Open(bool mayOffer) => choice.Mode == DecodingMode.Asynchronous ? DecodingMode.Pipelined : choice.Mode;

    /// <inheritdoc/>
    public DecodingChoice Next() => choice;

    /// <inheritdoc/>
    public void Learn(DecodedRound round)
    {
    }
}
