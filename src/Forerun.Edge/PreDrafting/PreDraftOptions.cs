using Forerun.Inference.Drafting;
using Forerun.Protocol;

namespace Forerun.Edge.PreDrafting;

/// <summary>How much is drafted ahead in a round. The text does not depend on it.</summary>
public sealed record PreDraftOptions
{
    /// <summary>The defaults.</summary>
    public static PreDraftOptions Default { get; } = new();

    /// <summary>Most verdicts drafted for: each keeps its own end of the KV cache. Range 1 … 64, default 12.</summary>
    public int MaxBranches { get; init; } = 12;

    /// <summary>Branches that get their next token together. Range 1 … 8, default 4.</summary>
    public int BatchSize { get; init; } = 4;

    /// <summary>Most tokens of all these drafts together, 0 or more; default 48. A guess that becomes likely takes the
    /// place of less likely ones.</summary>
    public int MaxTokens { get; init; } = 48;

    /// <summary>Verdicts less likely than this are not drafted for. Range 0 … 1, default 0.02.</summary>
    public double MinChance { get; init; } = 0.02;

    /// <summary>Most drafts sent ahead in pipelined mode. Range 0 … 16, default 4.</summary>
    public int MaxSent { get; init; } = 4;

    /// <summary>Drafts for verdicts less likely than this are not sent ahead. Range 0 … 1, default 0.05.</summary>
    public double MinSentChance { get; init; } = 0.05;

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
