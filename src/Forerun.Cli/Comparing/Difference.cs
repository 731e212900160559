using System.Collections.Immutable;
using System.Globalization;
using Forerun.Inference;

namespace Forerun.Cli.Comparing;

/// <summary>A token of one of two texts that differ.</summary>
/// <param name="Id">The token.</param>
/// <param name="Text">Its text.</param>
/// <param name="Logit">The target's logit of it here, computed alone and before any sampling.</param>
internal sealed record DifferingToken(int Id, string Text, float Logit);

/// <summary>The first place at which a mode leaves the autoregressive text.</summary>
/// <param name="Cell">The generation that differs.</param>
/// <param name="Position">Index of the output token.</param>
/// <param name="Expected">The autoregressive token; null = that text ends before it.</param>
/// <param name="Got">The mode's token; null = its text ends before it.</param>
internal sealed record Difference(CellKey Cell, int Position, DifferingToken? Expected, DifferingToken? Got)
{
    private const int RowsPerPass = 64;

    /// <summary>Whether two texts are equal, token for token.</summary>
    /// <param name="baseline">The autoregressive generation.</param>
    /// <param name="cell">The mode's.</param>
    /// <returns>The index of the first token that differs; null when all are equal.</returns>
    public static int? PositionOf(Cell baseline, Cell cell)
    {
        var (expected, got) = (baseline.Generation.Tokens, cell.Generation.Tokens);
        var same = expected.AsSpan().CommonPrefixLength(got.AsSpan());
        return same == expected.Length && same == got.Length ? null : same;
    }

    /// <summary>Looks the difference up in the target, in this process.</summary>
    /// <param name="baseline">The autoregressive generation.</param>
    /// <param name="cell">The mode's, which differs.</param>
    /// <param name="prompt">Prompt tokens.</param>
    /// <param name="target">The target.</param>
    public static Difference Of(Cell baseline, Cell cell, ImmutableArray<int> prompt, LanguageModel target)
    {
        var position = PositionOf(baseline, cell) ?? throw new ArgumentException("The texts are equal.", nameof(cell));
        var (expected, got) = (baseline.Generation.Tokens, cell.Generation.Tokens);
        var logits = LogitsAfter(target, [.. prompt, .. expected.AsSpan(0, position)]);
        return new Difference(cell.Key, position, TokenAt(expected), TokenAt(got));

        DifferingToken? TokenAt(ImmutableArray<int> tokens) => position == tokens.Length
            ? null
            : new DifferingToken(tokens[position], target.Tokenizer.Decode([tokens[position]]), logits[tokens[position]]);
    }

    /// <summary>One sentence for people.</summary>
    public string Describe()
    {
        var draftLength = Cell.DraftLength is { } length ? $" with draft length {length}" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The texts differ; no speed is reported. Prompt \"{Cell.Prompt}\" of {Cell.Prompts}, link {Cell.Link}, temperature {Cell.Temperature}, seed {Cell.Seed}: {Cell.Mode}{draftLength} leaves autoregressive at output token {Position}. Expected {Describe(Expected)}, got {Describe(Got)}. This is a defect.");
    }

    private static string Describe(DifferingToken? token) => token is null
        ? "the end of the text"
        : string.Create(CultureInfo.InvariantCulture, $"{token.Id} \"{token.Text}\" (logit {token.Logit:0.####})");

    private static float[] LogitsAfter(LanguageModel target, ImmutableArray<int> tokens)
    {
        using var cache = target.CreateCache();
        using var pass = target.CreatePass(RowsPerPass, 1);
        var batch = new ForwardBatch();
        foreach (var rows in tokens.Chunk(RowsPerPass))
        {
            batch.Clear();
            batch.Add(cache, rows, 1);
            pass.Run(batch);
        }

        return pass.Logits(0).ToArray();
    }
}
