using System.Collections.Immutable;

namespace Forerun.Cli.Commands;

/// <summary>So many edges beside a prompt. Every text was equal to the one without it. A wait is from one verdict to the
/// next; without drafts each is one pass.</summary>
/// <param name="Edges">Edges that decode at the same time.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="PromptPasses">Passes that it was read in.</param>
/// <param name="PromptMs">Time until its first verdict.</param>
/// <param name="WaitAloneP50Ms">Median wait without the prompt.</param>
/// <param name="WaitP50Ms">Median wait while the prompt was read.</param>
/// <param name="LongestWaitMs">Longest wait while the prompt was read.</param>
/// <param name="LongestPassMs">Longest pass of these waits, sampling included, as the server tells.</param>
/// <param name="LongestQueueMs">Longest time in the queue before a pass, as the server tells.</param>
internal sealed record LongPromptRow(
    int Edges,
    int PromptTokens,
    int PromptPasses,
    double PromptMs,
    double WaitAloneP50Ms,
    double WaitP50Ms,
    double LongestWaitMs,
    double LongestPassMs,
    double LongestQueueMs);

/// <summary>Result of <c>forerun bench server --long-prompt</c>.</summary>
/// <param name="Target">The target's id.</param>
/// <param name="Pinned">Whether server and edges had a core each.</param>
/// <param name="Equal">Whether all texts were equal.</param>
/// <param name="Rows">Results.</param>
internal sealed record LongPromptReport(string Target, bool Pinned, bool Equal, ImmutableArray<LongPromptRow> Rows);
