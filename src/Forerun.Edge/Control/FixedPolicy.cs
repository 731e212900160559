using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>One mode and draft length for all rounds.</summary>
internal sealed class FixedPolicy(DecodingChoice choice) : IDecodingPolicy
{
    /// <inheritdoc/>
    public int RoundsInFlight => 0;

    /// <inheritdoc/>
    public int RoundsPerGrant => 0;

    /// <inheritdoc/>
    public DecodingMode Open() => choice.Mode;

    /// <inheritdoc/>
    public DecodingChoice Next() => choice;

    /// <inheritdoc/>
    public void Learn(DecodedRound round)
    {
    }
}
