using Forerun.Inference.Drafting;
using Forerun.Protocol;

namespace Forerun.Edge.PreDrafting;

/// <summary>How much is drafted ahead at a time. The text does not depend on it.</summary>
public sealed record PreDraftOptions
{
    /// <summary>The defaults.</summary>
    public static PreDraftOptions Default { get; } = new();

    /// <summary>Most verdicts drafted for: each keeps its own end of the KV cache. Range 1 … 64, default 48.</summary>
    public int MaxBranches { get; init; } = 48;

    /// <summary>Most branches that get their next token together; fewer where they are not worth the time they add to a step.
    /// Range 1 … 16, default 16.</summary>
    public int BatchSize { get; init; } = IDrafter.MaxBranches;

    /// <summary>Most tokens of all these drafts together, 0 or more; default 192. A guess that becomes likely takes the
    /// place of less likely ones.</summary>
    public int MaxTokens { get; init; } = 192;

    /// <summary>Verdicts less likely than this are not drafted for. Range 0 … 1, default 0.005.</summary>
    public double MinChance { get; init; } = 0.005;

    /// <summary>Most drafts sent ahead in pipelined mode. Range 0 … 16, default 16.</summary>
    public int MaxSent { get; init; } = ProtocolConstants.MaxQueuedDrafts;

    /// <summary>Drafts for verdicts less likely than this are not sent ahead. Range 0 … 1, default 0.005.</summary>
    public double MinSentChance { get; init; } = 0.005;

    /// <summary>Checks every range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    internal void Validate()
    {
        Check(MaxBranches, 1, 64, nameof(MaxBranches));
        Check(BatchSize, 1, IDrafter.MaxBranches, nameof(BatchSize));
        Check(MaxTokens, 0, int.MaxValue, nameof(MaxTokens));
        Check(MinChance, 0, 1, nameof(MinChance));
        Check(MaxSent, 0, ProtocolConstants.MaxQueuedDrafts, nameof(MaxSent));
        Check(MinSentChance, 0, 1, nameof(MinSentChance));
    }

    private static void Check(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most))
        {
            throw new ArgumentOutOfRangeException(
                name, value, $"The option is out of range: expected {least} to {most}.");
        }
    }
}
