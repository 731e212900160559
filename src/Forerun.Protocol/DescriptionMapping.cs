using Forerun.Core.Decoding;
using Forerun.Protocol.V1;

namespace Forerun.Protocol;

/// <summary>What a server runs, to and from the wire.</summary>
internal static class DescriptionMapping
{
    public static Description ToMessage(TargetDescription description) => new()
    {
        ProtocolVersion = (uint)description.ProtocolVersion,
        TargetId = description.TargetId,
        TokenizerFingerprint = description.TokenizerFingerprint,
        NumericsId = description.NumericsId,
        ContextLength = (uint)description.ContextLength,
        MaxDraftLength = (uint)description.MaxDraftLength,
    };

    /// <exception cref="ProtocolException">A value does not fit.</exception>
    public static TargetDescription ToDescription(Description message) => new(
        message.TargetId,
        message.TokenizerFingerprint,
        message.NumericsId,
        WireNumbers.ToInt(message.ProtocolVersion, "protocol_version"),
        WireNumbers.ToInt(message.ContextLength, "context_length"),
        WireNumbers.ToInt(message.MaxDraftLength, "max_draft_length"));
}
