using Forerun.Core.Decoding;

namespace Forerun.Protocol;

/// <summary>What the first message of a stream says: the request, and what the edge takes for granted.</summary>
public sealed record Opening
{
    /// <summary>The generation to run.</summary>
    public required GenerationRequest Request { get; init; }

    /// <summary>The protocol version that the request needs; default 1. A server that is older than what it needs refuses
    /// it.</summary>
    public int ProtocolVersion { get; init; } = 1;

    /// <summary>Fingerprint of the tokenizer that made the prompt's ids.</summary>
    public required string TokenizerFingerprint { get; init; }

    /// <summary>The target that the edge insists on; empty (default) = any with the same tokenizer.</summary>
    public string TargetId { get; init; } = "";

    /// <summary>The numerics that the edge insists on; empty (default) = any.</summary>
    public string NumericsId { get; init; } = "";

    /// <summary>The session to go on with; empty (default) = a new one.</summary>
    public ReadOnlyMemory<byte> ResumeToken { get; init; }

    /// <summary>With a resume token: the last round whose verdict the edge has.</summary>
    public int LastSeenRound { get; init; }
}
