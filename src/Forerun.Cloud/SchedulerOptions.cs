using Forerun.Protocol;

namespace Forerun.Cloud;

/// <summary>How much the target does at once.</summary>
public sealed record SchedulerOptions
{
    /// <summary>The defaults.</summary>
    public static SchedulerOptions Default { get; } = new();

    /// <summary>Most sessions at a time; more are refused as overloaded. Default 32.</summary>
    public int MaxSessions { get; init; } = 32;

    /// <summary>Most rows of one target pass, at least a draft and its newest token. Default 128.</summary>
    public int MaxRows { get; init; } = 128;

    /// <summary>Most rows of a prompt in one pass: others wait no longer than that. Default 128.</summary>
    public int MaxPrefillRows { get; init; } = 128;

    /// <summary>Most tokens of one draft, 1 … 16. Default 16.</summary>
    public int MaxDraftLength { get; init; } = ProtocolConstants.MaxDraftLength;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSessions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDraftLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDraftLength, ProtocolConstants.MaxDraftLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRows, MaxDraftLength + 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPrefillRows, 1);
    }
}
