using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.Training;

/// <summary>What an exit chose for the rows that decide its provisional verdict.</summary>
/// <param name="Tokens">Chosen tokens of rows 0 … k'.</param>
/// <param name="Leads">Their leads.</param>
/// <param name="Round">The round.</param>
/// <param name="NextTokenOfVerdict">What it chooses for the row that decides the verdict, were k known: not the draft
/// token.</param>
/// <param name="CanNameNextToken">Whether the verdict's next token is among its tokens.</param>
internal sealed record RoundChoice(
    ImmutableArray<int> Tokens,
    ImmutableArray<float> Leads,
    HeldOutRound Round,
    int NextTokenOfVerdict,
    bool CanNameNextToken)
{
    /// <summary>Provisional accepted count k'.</summary>
    public int AcceptedCount => Tokens.Length - 1;

    /// <summary>Whether (k', t') is the verdict.</summary>
    public bool IsRight => AcceptedCount == Round.AcceptedCount && Tokens[^1] == Round.NextToken;

    /// <summary>Whether the row's choice is its draft token.</summary>
    public bool Agrees(int row) => row < Round.Draft.Length && Tokens[row] == Round.Draft[row];

    /// <summary>Whether the row's choice is the target's.</summary>
    public bool IsRightAt(int row) => Tokens[row] == Round.TargetTokens[row];
}

/// <summary>A choice and the confidence that it is the verdict.</summary>
/// <param name="Choice">The choice.</param>
/// <param name="Confidence">In [0, 1].</param>
internal readonly record struct ScoredChoice(RoundChoice Choice, double Confidence);

/// <summary>Lets exits choose on replayed rounds, with the code that a server runs. One caller at a time.</summary>
/// <param name="target">The target.</param>
/// <param name="rounds">The rounds.</param>
/// <param name="samplings">Sampling of each held-out prompt.</param>
internal sealed class RoundChoices(LanguageModel target, HeldOutRounds rounds, IReadOnlyList<SamplingOptions> samplings)
{
    /// <summary>Choices of one exit under several draft bonuses.</summary>
    /// <param name="file">The exits.</param>
    /// <param name="exit">Index of the exit.</param>
    /// <param name="isGreedy">Rounds at temperature 0, or those above.</param>
    /// <param name="bonuses">Draft bonuses to try.</param>
    /// <returns>Per bonus, a choice per round.</returns>
    public RoundChoice[][] Choose(ExitFile file, int exit, bool isGreedy, float[] bonuses)
    {
        using var heads = new ExitHeads(file, target);
        using var scratch = heads.CreateScratch(rounds.RowsPerRound, rounds.RowsPerRound);
        var hidden = new float[rounds.RowsPerRound * rounds.HiddenSize];
        var announcers = new Dictionary<int, ExitAnnouncer>();
        var choices = Array.ConvertAll(bonuses, _ => new List<RoundChoice>());
        for (var i = 0; i < rounds.Rounds.Length; i++)
        {
            var round = rounds.Rounds[i];
            var sampling = samplings[round.Sampling];
            if (sampling.Temperature == 0f != isGreedy)
            {
                continue;
            }

            if (!announcers.TryGetValue(round.Sampling, out var announcer))
            {
                announcers.Clear();
                announcer = announcers[round.Sampling] = new ExitAnnouncer(heads, sampling, Limits(round));
            }

            rounds.Copy(file.Exits[exit].Layer, i, hidden);
            scratch.SetCandidates(round.Draft.AsSpan());
            scratch.Run(exit, hidden.AsSpan(0, (round.Draft.Length + 1) * rounds.HiddenSize));
            for (var bonus = 0; bonus < bonuses.Length; bonus++)
            {
                choices[bonus].Add(Choose(announcer, scratch, round, bonuses[bonus]));
            }
        }

        return Array.ConvertAll(choices, list => list.ToArray());
    }

    private GenerationLimits Limits(HeldOutRound round) =>
        new(target.Config.MaxPositionEmbeddings, Math.Min(round.BasePosition, target.Config.MaxPositionEmbeddings - 1), 0, target.Tokenizer.EndTokens);

    private RoundChoice Choose(ExitAnnouncer announcer, ExitScratch scratch, HeldOutRound round, float bonus)
    {
        // Without a repetition penalty only the draft's own tokens matter.
        int[] tokens = [.. new int[round.BasePosition], .. round.Draft];
        var chosen = ImmutableArray.CreateBuilder<int>();
        var leads = ImmutableArray.CreateBuilder<float>();
        for (var row = 0; ; row++)
        {
            var token = announcer.Choose(scratch, row, tokens, round.BasePosition, bonus, out var lead);
            chosen.Add(token);
            leads.Add(lead);
            if (row == round.Draft.Length || round.Draft[row] != token || target.Tokenizer.EndTokens.Contains(token))
            {
                return new RoundChoice(
                    chosen.ToImmutable(),
                    leads.ToImmutable(),
                    round,
                    announcer.Choose(scratch, round.AcceptedCount, tokens, round.BasePosition, float.NegativeInfinity, out _),
                    scratch.Tokens.BinarySearch(round.NextToken) >= 0);
            }
        }
    }
}
