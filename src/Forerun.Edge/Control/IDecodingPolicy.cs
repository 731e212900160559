using Forerun.Core.Decoding;

namespace Forerun.Edge.Control;

/// <summary>Chooses how each round is decoded. One generation and one caller at a time.</summary>
internal interface IDecodingPolicy
{
    /// <summary>A generation starts.</summary>
    /// <param name="mayOffer">Whether what it may be decoded as includes <see cref="DecodingMode.Asynchronous"/>.</param>
    /// <returns>The mode to open it in: the server is asked for this one.</returns>
    DecodingMode Open(bool mayOffer);

    /// <summary>How the next round is decoded: its draft, and what is drafted ahead while it is verified.</summary>
    DecodingChoice Next();

    /// <summary>Most streamed rounds that may be under way between the machines: the target is told that many ahead.</summary>
    int RoundsInFlight { get; }

    /// <summary>Streamed rounds that the target is told of at a time: the more, the fewer messages, and the later it can be told to
    /// wait for drafts.</summary>
    int RoundsPerGrant { get; }

    /// <summary>What a round took.</summary>
    void Learn(DecodedRound round);
}
