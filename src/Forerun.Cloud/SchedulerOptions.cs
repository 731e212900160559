using Forerun.Core.Emulation;
using Forerun.Inference;
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

    /// <summary>Most prompt rows of one pass, of all prompts together: others wait no longer than that. Default 128.
    /// </summary>
    public int MaxPrefillRows { get; init; } = 128;

    /// <summary>Most tokens of one draft, 1 … 16. Default 16.</summary>
    public int MaxDraftLength { get; init; } = ProtocolConstants.MaxDraftLength;

    /// <summary>Bytes that all KV caches may take, the draft model's included; at 0 (default) a quarter of the memory that is
    /// free when the scheduler starts. Least recently used caches that are idle are dropped and computed again when their
    /// session speaks.</summary>
    public long KvMemory { get; init; }

    /// <summary>Keeps the caches of generations that are over, so that a prompt that begins with the same tokens is not
    /// computed again. Default true.</summary>
    public bool ReusePrefixes { get; init; } = true;

    /// <summary>Tokens of a draft in mode <see cref="Core.Decoding.DecodingMode.Colocated"/> where the edge leaves it to the
    /// server, 1 … <see cref="MaxDraftLength"/>. Default 4.</summary>
    public int ColocatedDraftLength { get; init; } = 4;

    /// <summary>Least calibrated confidence of an announcement, 0 … 1. Default 0.2: a wrong announcement costs the edge a
    /// little drafting, a missing one the whole draft.</summary>
    public float ExitThreshold { get; init; } = 0.2f;

    /// <summary>A session whose edge sends nothing for so long ends as lost, so that it does not keep its place; default 5 min,
    /// <see cref="Timeout.InfiniteTimeSpan"/> = never. It may last a quarter longer.</summary>
    public TimeSpan IdleLimit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Keeps the process's cores from halting while a session is open (<see cref="AwakeCores"/>): verdicts leave sooner
    /// where an idle core takes long to wake. Default false; Linux only.</summary>
    public bool KeepAwake { get; init; }

    /// <summary>Hardware whose times the target's passes are stretched to; null (default) = this machine's own.</summary>
    public EmulatedProfile? Emulated { get; init; }

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="PlatformNotSupportedException">An option needs another system.</exception>
    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxSessions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDraftLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxDraftLength, ProtocolConstants.MaxDraftLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRows, MaxDraftLength + 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPrefillRows, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(KvMemory);
        ArgumentOutOfRangeException.ThrowIfLessThan(ColocatedDraftLength, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ColocatedDraftLength, MaxDraftLength);
        if (IdleLimit != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(IdleLimit, TimeSpan.FromSeconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(IdleLimit, TimeSpan.FromDays(30));
        }

        if (KeepAwake)
        {
            AwakeCores.ThrowIfUnsupported();
        }

        ArgumentOutOfRangeException.ThrowIfNegative(ExitThreshold);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ExitThreshold, 1f);
    }
}
