namespace Forerun.Protocol;

/// <summary>Numbers both sides agree on.</summary>
public static class ProtocolConstants
{
    /// <summary>The newest protocol version that this build speaks; it speaks the older ones too, from 1.</summary>
    public const int Version = 2;

    /// <summary>The oldest version with rejection sampling.</summary>
    public const int RejectionVersion = 2;

    /// <summary>Most tokens of one draft.</summary>
    public const int MaxDraftLength = 16;

    /// <summary>Most drafts of a session that wait for the verdict they assume.</summary>
    public const int MaxQueuedDrafts = 16;

    /// <summary>Bytes before each gRPC message: a flag and the message's length.</summary>
    public const int FrameHeaderBytes = 5;
}
