using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace Forerun.Training;

/// <summary>The Markdown report that lies beside an exit file.</summary>
/// <param name="Target">The target's id.</param>
/// <param name="Draft">The draft model's id.</param>
/// <param name="NumHiddenLayers">The target's layers.</param>
/// <param name="Rows">Rows of text.</param>
/// <param name="Coverage">Share of the text's tokens in the shortlist.</param>
/// <param name="Options">How it was trained.</param>
/// <param name="Scores">Every candidate.</param>
/// <param name="Kept">Layers in the file.</param>
public sealed record ExitReport(
    string Target,
    string Draft,
    int NumHiddenLayers,
    int Rows,
    double Coverage,
    TrainingOptions Options,
    ImmutableArray<ExitScore> Scores,
    ImmutableArray<int> Kept)
{
    /// <summary>The whole text.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        Line(text, $"# Exits of {Target}");
        Line(text, $"");
        Line(text, $"{Rows} rows of text that the target wrote itself (half greedy, half T = 0.8 / top-p 0.95), seed {Options.Seed}; rank {Options.Rank}; shortlist of {Options.ShortlistSize} tokens, which holds {Coverage:P1} of the text; at most {Options.Epochs} epochs.");
        Line(text, $"Verdicts: rounds of {Options.DraftLength} draft tokens by {Draft} on prompts that were not trained on; the figures of each half come from a calibration that saw only the other half.");
        Line(text, $"Shortlist and draft hold the verdict's next token in {Scores[0].Greedy.Reachable:P1} (greedy) and {Scores[0].Sampled.Reachable:P1} (T = 0.8) of the rounds: no exit is right more often.");
        Line(text, $"Kept: {string.Join(", ", Kept)} of {NumHiddenLayers} layers; expected benefit {ExitPlacement.Benefit(Scores.Where(score => Kept.Contains(score.Layer)), NumHiddenLayers):F3} passes a round; {Scores.Where(score => Kept.Contains(score.Layer)).Sum(score => score.CostShare):P1} of a pass's weights.");
        Line(text, $"");
        Line(text, $"| layer | depth | parameters | weights, of a pass | KL ridge → trained | top-1 ridge → trained | (k, t) right, greedy | T = 0.8 | without draft bonus, greedy / T = 0.8 | k right, greedy / T = 0.8 | t right if k is known, greedy / T = 0.8 | right after a rejection, greedy / T = 0.8 | ECE greedy / T = 0.8 |");
        Line(text, $"|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var score in Scores)
        {
            var (greedy, sampled) = (score.Greedy, score.Sampled);
            Line(text, $"| {score.Layer} | {(double)score.Layer / NumHiddenLayers:P0} | {score.Parameters} | {score.CostShare:P2} | {score.RidgeLoss:F2} → {score.Loss:F2} | {score.RidgeAgreement:P1} → {score.Agreement:P1} | {greedy.Right:P1} | {sampled.Right:P1} | {greedy.RightWithoutBonus:P1} / {sampled.RightWithoutBonus:P1} | {greedy.CountRight:P1} / {sampled.CountRight:P1} | {greedy.NextTokenRight:P1} / {sampled.NextTokenRight:P1} | {greedy.RightAfterRejection:P1} / {sampled.RightAfterRejection:P1} | {greedy.CalibrationError:F3} / {sampled.CalibrationError:F3} |");
        }

        foreach (var score in Scores.Where(score => Kept.Contains(score.Layer)))
        {
            Curve(text, score, "greedy", score.Greedy);
            Curve(text, score, "T = 0.8", score.Sampled);
        }

        return text.ToString();
    }

    private static void Curve(StringBuilder text, ExitScore score, string sampling, VerdictScore verdicts)
    {
        Line(text, $"");
        Line(text, $"## Calibration of exit {score.Layer}, {sampling}: {verdicts.Rounds} rounds");
        Line(text, $"");
        Line(text, $"| rounds | confidence | right |");
        Line(text, $"|---|---|---|");
        foreach (var bin in verdicts.Bins)
        {
            Line(text, $"| {bin.Count} | {bin.Confidence:F2} | {bin.Right:F2} |");
        }
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
