using System.Collections.Immutable;
using System.Globalization;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;

namespace Forerun.Cli.Running;

/// <summary>What the controller chose in a generation, and why. Times in milliseconds.</summary>
/// <param name="Choices">Rounds by choice, the most frequent first.</param>
/// <param name="Changes">How often the choice changed.</param>
/// <param name="DraftMs">Estimate at the end: drafting a token.</param>
/// <param name="VerifyMs">Estimate at the end: verification of 1, 2, … rows, queue included.</param>
/// <param name="AloneShare">Estimate at the end: the part of it while the edge drafts nothing.</param>
/// <param name="RoundTripMs">Estimate at the end: the round trip.</param>
/// <param name="Acceptance">Estimate at the end: chance of each draft token when those before it are accepted.</param>
/// <param name="Foresight">Estimate at the end: chance that the drafter foresees each token when it foresaw those before it.</param>
/// <param name="MeanDraftLength">Estimate at the end: tokens of a draft, by draft length from 0.</param>
/// <param name="OfferLag">Estimate at the end: tokens that the target goes on by until an offer is there.</param>
/// <param name="OfferYield">Estimate at the end: what offers bring ÷ what foresight and lag promise; 0 = none is in time.</param>
/// <param name="HitRate">Estimate at the end: verdicts whose draft was ready, by draft length from 0.</param>
/// <param name="SentHitRate">Estimate at the end: verdicts whose draft was at the server, likewise.</param>
/// <param name="Expected">Expected time per output token of every choice, the fastest first.</param>
internal sealed record ControllerReport(
    ImmutableArray<ChoiceReport> Choices,
    int Changes,
    double DraftMs,
    ImmutableArray<double> VerifyMs,
    double AloneShare,
    double RoundTripMs,
    ImmutableArray<double> Acceptance,
    ImmutableArray<double> Foresight,
    ImmutableArray<double> MeanDraftLength,
    int OfferLag,
    double OfferYield,
    ImmutableArray<double> HitRate,
    ImmutableArray<double> SentHitRate,
    ImmutableArray<ExpectedReport> Expected)
{
    /// <summary>Of a generation that is over.</summary>
    public static ControllerReport Of(ControllerDecision decision, IReadOnlyList<DecodedRound> rounds)
    {
        var estimates = decision.Estimates;
        return new(
            [
                .. rounds.CountBy(round => round.Choice).OrderByDescending(choice => choice.Value).Select(
                    choice => new ChoiceReport(ModeNames.Of(choice.Key.Mode), choice.Key.DraftLength, choice.Value)),
            ],
            rounds.Zip(rounds.Skip(1), (round, next) => round.Choice != next.Choice).Count(changed => changed),
            estimates.DraftMs,
            estimates.VerifyMs,
            estimates.AloneShare,
            estimates.RoundTripMs,
            estimates.Acceptance,
            estimates.Foresight,
            estimates.MeanDraftLength,
            estimates.OfferLag,
            estimates.OfferYield,
            estimates.HitRate,
            estimates.SentHitRate,
            [
                .. decision.Expected.OrderBy(one => one.MsPerToken).Select(
                    one => new ExpectedReport(ModeNames.Of(one.Choice.Mode), one.Choice.DraftLength, one.MsPerToken)),
            ]);
    }

    /// <summary>One choice in a line.</summary>
    public static string Line(int round, ControllerDecision decision)
    {
        var text = Text($"round {round}: {Name(decision.Choice)} ({Reason(decision.Reason)}); {Text(decision)}");
        return decision.Expected.IsEmpty
            ? text
            : $"{text}; expected {string.Join(", ", BestOfEachMode(decision).Select(
                one => Text($"{Name(one.Choice)} {one.MsPerToken:0.0}")))} ms/token";
    }

    /// <summary>The rounds of each choice, in a line.</summary>
    public string Summary() => "rounds: " + string.Join(
        ", ", Choices.Select(choice => Text($"{choice.Mode} γ={choice.DraftLength} × {choice.Rounds}")));

    private static IEnumerable<ExpectedLatency> BestOfEachMode(ControllerDecision decision) => decision.Expected
        .GroupBy(one => (one.Choice.Mode, one.Choice.DraftLength == 0))
        .Select(mode => mode.MinBy(one => one.MsPerToken))
        .OrderBy(one => one.MsPerToken);

    private static string Text(ControllerDecision decision)
    {
        var (estimates, length) = (decision.Estimates, decision.Choice.DraftLength);
        return string.Join(
            ", ",
            Text($"draft {estimates.DraftMs:0.0} ms/token"),
            Text($"verify {estimates.VerifyMs[0]:0.0} ms + {Slope(estimates):0.0} ms/row (alone × {estimates.AloneShare:0.00})"),
            Text($"round trip {estimates.RoundTripMs:0.0} ms"),
            Text($"acceptance {estimates.Acceptance[0]:0.00}"),
            Text($"offers {estimates.OfferLag} tokens late, yield {estimates.OfferYield:0.00}"),
            Text($"drafts of {estimates.MeanDraftLength[length]:0.0} tokens"),
            Text($"hits {estimates.HitRate[length]:0.00}"),
            Text($"sent {estimates.SentHitRate[length]:0.00}"));
    }

    private static double Slope(LatencyEstimates estimates) =>
        (estimates.VerifyMs[^1] - estimates.VerifyMs[0]) / (estimates.VerifyMs.Length - 1);

    private static string Name(DecodingChoice choice) => Text($"{ModeNames.Of(choice.Mode)} γ={choice.DraftLength}");

    private static string Reason(ControllerReason reason) => reason switch
    {
        ControllerReason.Survey => "survey",
        ControllerReason.Exploration => "exploration",
        _ => "fastest",
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A choice and its rounds.</summary>
internal sealed record ChoiceReport(string Mode, int DraftLength, int Rounds);

/// <summary>A choice and its expected time per output token.</summary>
internal sealed record ExpectedReport(string Mode, int DraftLength, double MsPerToken);
