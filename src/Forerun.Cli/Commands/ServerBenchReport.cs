using System.Collections.Immutable;

namespace Forerun.Cli.Commands;

/// <summary>So many edges at once, in one mode. Every text was equal to its autoregressive one.</summary>
/// <param name="Mode">Decoding mode.</param>
/// <param name="Edges">Edges that decode at the same time.</param>
/// <param name="OutputTokens">Tokens of all edges.</param>
/// <param name="TokensPerSecond">Of all edges together, prefill included.</param>
/// <param name="OverOneEdge">Tokens per second ÷ those of the fewest edges in this mode.</param>
/// <param name="TimePerTokenP50Ms">Median over tokens of a round's time ÷ the round's tokens, first rounds left out.</param>
/// <param name="TimePerTokenP95Ms">95th percentile of the same.</param>
/// <param name="TimeToFirstTokenP50Ms">Median over generations, prefill and queueing included.</param>
internal sealed record ServerBenchRow(
    string Mode,
    int Edges,
    int OutputTokens,
    double TokensPerSecond,
    double OverOneEdge,
    double TimePerTokenP50Ms,
    double TimePerTokenP95Ms,
    double TimeToFirstTokenP50Ms);

/// <summary>Result of <c>forerun bench server</c>.</summary>
/// <param name="Target">The target's id.</param>
/// <param name="DraftLength">Tokens drafted per round.</param>
/// <param name="Pinned">Whether server and edges had a core each.</param>
/// <param name="Equal">Whether all texts were equal.</param>
/// <param name="Rows">Results.</param>
internal sealed record ServerBenchReport(
    string Target, int DraftLength, bool Pinned, bool Equal, ImmutableArray<ServerBenchRow> Rows);
