using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Inference.Exits;

/// <summary>What an exit expects of a verification.</summary>
/// <param name="AcceptedCount">Provisional accepted count k'.</param>
/// <param name="NextToken">Provisional next token t'.</param>
/// <param name="Confidence">Calibrated probability in [0, 1] that (k', t') is the verdict.</param>
public readonly record struct ProvisionalVerdict(int AcceptedCount, int NextToken, float Confidence);

/// <summary>Turns an exit's logits into a provisional verdict by the very rule of the verification: the session's sampling,
/// its noise and its acceptance. Allocates nothing per round. One caller at a time.</summary>
/// <remarks>Confidence is calibrated under greedy and shared-noise sampling; under rejection sampling it is an estimate.</remarks>
/// <param name="heads">The target's exits.</param>
/// <param name="sampling">The session's sampling.</param>
/// <param name="limits">The session's limits.</param>
public sealed class ExitAnnouncer(ExitHeads heads, SamplingOptions sampling, GenerationLimits limits)
{
    private readonly TokenSampler _sampler = new(sampling, heads.Target.Config.VocabSize);
    private double _product;

    /// <summary>What an exit expects.</summary>
    /// <param name="scratch">Scratch of the heads, with room for the round's rows and draft tokens.</param>
    /// <param name="exit">Index into <see cref="ExitHeads.Layers"/>.</param>
    /// <param name="hidden">Hidden states of the round's rows after that many layers, <c>[draftLength + 1, hiddenSize]</c>.
    /// </param>
    /// <param name="tokens">All tokens: prompt, output and the draft at the end.</param>
    /// <param name="basePosition">Absolute position of the first draft token; the tokens' length when nothing was drafted.
    /// </param>
    /// <param name="draftProbs">Under rejection sampling: what each draft token was drawn from.</param>
    public ProvisionalVerdict Announce(
        ExitScratch scratch,
        int exit,
        ReadOnlySpan<float> hidden,
        ReadOnlySpan<int> tokens,
        int basePosition,
        ReadOnlySpan<SparseDistribution> draftProbs = default)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        scratch.SetCandidates(tokens[basePosition..]);
        scratch.Run(exit, hidden);
        var calibration = Calibration(exit);
        _product = 1;
        var result = Acceptance.Accept(
            tokens[basePosition..],
            basePosition,
            limits,
            new Round(this, scratch, calibration, tokens, basePosition, draftProbs),
            static (round, row) => round.Announcer.Choose(round, row));
        return new ProvisionalVerdict(result.AcceptedCount, result.NextToken, calibration.Confidence(_product));
    }

    /// <summary>The calibration in use for an exit.</summary>
    internal ExitCalibration Calibration(int exit) =>
        sampling.Temperature == 0f ? heads.Exits[exit].Adapter.Greedy : heads.Exits[exit].Adapter.Sampled;

    /// <summary>The exit's token of a row, once the scratch has run, and its lead.</summary>
    internal int Choose(
        ExitScratch scratch,
        int row,
        ReadOnlySpan<int> tokens,
        int basePosition,
        float draftBonus,
        out float lead,
        SparseDistribution? draftProbs = null)
    {
        var position = basePosition + row;
        var logits = scratch.Logits(row);
        if (position == tokens.Length)
        {
            return _sampler.SampleAmong(scratch.Tokens, logits, position, tokens, out lead);
        }

        var at = scratch.Tokens.BinarySearch(tokens[position]);
        var logit = logits[at];
        logits[at] += draftBonus;
        var token = draftProbs is null
            ? _sampler.SampleAmong(scratch.Tokens, logits, position, tokens[..position], out lead)
            : _sampler.VerifyAmong(
                scratch.Tokens, logits, position, tokens[..position], tokens[position], draftProbs, out lead);
        logits[at] = logit;
        return token;
    }

    private int Choose(Round round, int row)
    {
        var position = round.BasePosition + row;
        var token = Choose(
            round.Scratch,
            row,
            round.Tokens,
            round.BasePosition,
            round.Calibration.DraftBonus,
            out var lead,
            row < round.DraftProbs.Length ? round.DraftProbs[row] : null);
        var agrees = position < round.Tokens.Length && round.Tokens[position] == token;
        _product *= (agrees ? round.Calibration.Agrees : round.Calibration.Differs).Probability(lead);
        return token;
    }

    private readonly ref struct Round(
        ExitAnnouncer announcer,
        ExitScratch scratch,
        ExitCalibration calibration,
        ReadOnlySpan<int> tokens,
        int basePosition,
        ReadOnlySpan<SparseDistribution> draftProbs)
    {
        public ExitAnnouncer Announcer { get; } = announcer;

        public ExitScratch Scratch { get; } = scratch;

        public ExitCalibration Calibration { get; } = calibration;

        public ReadOnlySpan<int> Tokens { get; } = tokens;

        public int BasePosition { get; } = basePosition;

        public ReadOnlySpan<SparseDistribution> DraftProbs { get; } = draftProbs;
    }
}
