using System.Collections.Immutable;

namespace Forerun.Cli.Commands;

/// <summary>One mode on one prompt set over one link.</summary>
/// <param name="Prompts">Prompt file.</param>
/// <param name="RoundTripMs">Emulated round trip.</param>
/// <param name="Mode">Decoding mode.</param>
/// <param name="Equal">Whether every text equals the autoregressive one.</param>
/// <param name="OutputTokens">Tokens of all prompts.</param>
/// <param name="TimePerOutputTokenMs">All time after the first rounds ÷ the tokens after them.</param>
/// <param name="TimeToFirstTokenMs">Median.</param>
/// <param name="AcceptanceRate">Accepted ÷ drafted; null when nothing was drafted.</param>
/// <param name="MeanAcceptanceLength">Output tokens per round.</param>
/// <param name="TargetPassesPerToken">Server passes ÷ output tokens.</param>
/// <param name="ServerMsPerToken">Server compute ÷ output tokens, prefill included.</param>
/// <param name="BytesPerRound">Message bytes, both directions.</param>
/// <param name="LinkMsPerRound">Median wait less the server's queue and compute; null when verdicts are streamed.</param>
/// <param name="Speedup">Autoregressive time per token ÷ this one.</param>
internal sealed record CompareRow(
    string Prompts,
    double RoundTripMs,
    string Mode,
    bool Equal,
    int OutputTokens,
    double TimePerOutputTokenMs,
    double TimeToFirstTokenMs,
    double? AcceptanceRate,
    double MeanAcceptanceLength,
    double TargetPassesPerToken,
    double ServerMsPerToken,
    double BytesPerRound,
    double? LinkMsPerRound,
    double Speedup);

/// <summary>Result of <c>forerun compare</c>.</summary>
/// <param name="Target">The target's id.</param>
/// <param name="DraftLength">Tokens drafted per round.</param>
/// <param name="Pinned">Whether edge and server had a core each.</param>
/// <param name="Equal">Whether all texts were equal.</param>
/// <param name="Rows">Results.</param>
internal sealed record CompareReport(
    string Target, int DraftLength, bool Pinned, bool Equal, ImmutableArray<CompareRow> Rows);
