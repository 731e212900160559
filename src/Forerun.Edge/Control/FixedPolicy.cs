using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>One mode and draft length for all rounds.</summary>
internal sealed class FixedPolicy(DecodingChoice choice) : IDecodingPolicy
{
    /// <inheritdoc/>
    /// <remarks>Only an asynchronous generation asks, and its stream never ends.</remarks>
    public int RoundsInFlight => 1 << 20;

    /// <inheritdoc/>
    public int RoundsPerGrant => 8;

    /// <inheritdoc/>
    public DecodingMode Open(bool mayOffer) => choice.Mode == DecodingMode.Asynchronous ? DecodingMode.Pipelined : choice.Mode;

    /// <inheritdoc/>
    public DecodingChoice Next() => choice;

    /// <inheritdoc/>
    public void Learn(DecodedRound round)
    {
    }
}
