using System.Globalization;
using Forerun.Cli.Running;

namespace Forerun.Cli.Chatting;

/// <summary>Sums over the answers of a chat.</summary>
internal sealed class ChatStatistics
{
    private readonly List<GenerationReport> _answers = [];

    /// <summary>Counts an answer.</summary>
    public void Add(GenerationReport report) => _answers.Add(report);

    /// <summary>Names and figures.</summary>
    public IEnumerable<(string Name, string Value)> Rows()
    {
        var rounds = Sum(answer => answer.Rounds);
        var drafted = Sum(answer => answer.DraftedTokens);
        var tokens = Sum(answer => answer.Tokens.Length);
        var timed = _answers.Where(answer => answer.TimePerOutputTokenMs is not null).ToArray();
        var ahead = _answers.Select(answer => answer.PreDrafts).OfType<PreDraftReport>().ToArray();
        yield return ("answers", Count(_answers.Count));
        yield return ("degraded answers", Count(_answers.Count(answer => answer.Degraded)));
        yield return ("tokens", Count(tokens));
        yield return ("ms per token", Ratio(
            timed.Sum(answer => answer.TotalMs - answer.TimeToFirstTokenMs),
            timed.Sum(answer => (answer.TotalMs - answer.TimeToFirstTokenMs) / answer.TimePerOutputTokenMs!.Value)));
        yield return ("tokens per round", Ratio(tokens, rounds));
        yield return ("acceptance rate", Ratio(Sum(answer => answer.AcceptedTokens), drafted));
        yield return ("verdicts drafted for ahead",
            $"{Count(ahead.Sum(report => report.Hits))} of {Count(ahead.Sum(report => report.Rounds))}");
        yield return ("target passes", Count(Sum(answer => answer.TargetPasses)));
        yield return ("bytes up, down", $"{Count(Sum(answer => answer.BytesUp))}, {Count(Sum(answer => answer.BytesDown))}");
    }

    private static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Ratio(double part, double whole) =>
        whole == 0 ? "-" : (part / whole).ToString("F2", CultureInfo.InvariantCulture);

    private long Sum(Func<GenerationReport, long> count) => _answers.Sum(count);
}
