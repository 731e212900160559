namespace Forerun.Protocol;

/// <summary>Numbers both sides agree on.</summary>
public static class ProtocolConstants
{
    /// <summary>The protocol version that this build speaks.</summary>
    public const int Version = 1;

    /// <summary>Most tokens of one draft.</summary>
    public const int MaxDraftLength = 16;

    /// <summary>Most drafts of a session that wait for the verdict they assume.</summary>
    public const int MaxQueuedDrafts = 16;

    /// <summary>Bytes before each gRPC message: a flag and the message's length.</summary>
    public const int FrameHeaderBytes = 5;
}
