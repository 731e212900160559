using System.Collections.Immutable;
using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>Chooses the next token: a pure function of logits, options (with the seed), position and history, the same
/// on every machine. Holds scratch only: one caller at a time; nothing is allocated after construction.</summary>
/// <remarks>
/// In this order: (1) the repetition penalty, on the raw logits of the distinct tokens among the last
/// <see cref="SamplingOptions.RepetitionWindow"/> of the history: positive ones are divided, others multiplied; (2) at
/// temperature 0 the token of the largest logit; else the logits are divided by the temperature; (3) top-k; (4) top-p,
/// on the softmax over the survivors of top-k; (5) min-p, relative to the most probable token; (6) of the survivors the
/// one with the largest logit / temperature + <see cref="SharedNoise"/> at (seed, position, token).
/// <para>Tokens are ordered by logit / temperature, larger first, then by token id, smaller first; ties fall that way
/// in every step. Noise and penalty go by token id, so a draft model with a draft vocabulary shares them with its
/// target.</para>
/// </remarks>
public sealed partial class TokenSampler
{
    /// <summary>No lead is larger.</summary>
    public const float LargestLead = Candidates.Reach;

    private readonly SamplingOptions _options;
    private readonly ImmutableArray<int> _vocabulary;
    private readonly int _rowCount;
    private readonly float _minPDistance;
    private readonly float[] _penalised;
    private readonly Candidates? _candidates;

    /// <summary>Creates a sampler with its scratch.</summary>
    /// <param name="options">How tokens are chosen.</param>
    /// <param name="vocabSize">Token ids are 0 … vocabSize - 1.</param>
    /// <param name="draftVocabulary">Token id of each row of logits, strictly ascending; default or empty: row i is
    /// token i.</param>
    /// <exception cref="ArgumentException">An option is out of range, or the draft vocabulary is not ascending within
    /// the vocabulary.</exception>
    public TokenSampler(SamplingOptions options, int vocabSize, ImmutableArray<int> draftVocabulary = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabSize, 1);
        _options = options;
        _vocabulary = draftVocabulary.IsDefault ? [] : draftVocabulary;
        CheckVocabulary(_vocabulary.AsSpan(), vocabSize);
        _rowCount = _vocabulary.IsEmpty ? vocabSize : _vocabulary.Length;
        _minPDistance = (float)-DeterministicMath.Log((double)options.MinP);
        _penalised = options.RepetitionPenalty == 1f ? [] : new float[_rowCount];
        _candidates = options.Temperature == 0f ? null : new Candidates(_rowCount);
    }

    /// <summary>The token at <paramref name="position"/>.</summary>
    /// <param name="logits">Raw logits, <c>[vocabSize]</c> or <c>[draftVocabulary]</c>; not changed; -infinity masks a
    /// token.</param>
    /// <param name="position">Absolute position of the token to choose.</param>
    /// <param name="history">All tokens at smaller positions, or at least the last
    /// <see cref="SamplingOptions.RepetitionWindow"/>; only the repetition penalty looks at them.</param>
    /// <returns>A token id, also when there is a draft vocabulary.</returns>
    /// <exception cref="ArgumentException">The logits have another length, one is NaN or +infinity, or none is above
    /// -infinity.</exception>
    public int Sample(ReadOnlySpan<float> logits, int position, ReadOnlySpan<int> history)
    {
        ThrowIfNotRows(logits);
        logits = Prepare(logits, _vocabulary.AsSpan(), position, history, out var best);
        return _candidates is null
            ? TokenOf(best, _vocabulary.AsSpan())
            : Survivors(logits, best, _vocabulary.AsSpan()).Best(_options.Seed, position);
    }

    /// <summary>The tokens that would be chosen at <paramref name="position"/> in order of preference: the first is
    /// <see cref="Sample"/>'s, the second what it would be without the first, and so on.</summary>
    /// <param name="logits">As in <see cref="Sample"/>.</param>
    /// <param name="position">As in <see cref="Sample"/>.</param>
    /// <param name="history">As in <see cref="Sample"/>.</param>
    /// <param name="tokens">Receives token ids, <c>[n]</c>, n ≥ 1.</param>
    /// <param name="scores">Receives their scores, <c>[n]</c>: logits at temperature 0, else noise less the distance to
    /// the largest logit / temperature.</param>
    /// <returns>How many were written, 1 … n: there may be fewer tokens to choose from.</returns>
    /// <exception cref="ArgumentException">As in <see cref="Sample"/>.</exception>
    public int Rank(
        ReadOnlySpan<float> logits, int position, ReadOnlySpan<int> history, Span<int> tokens, Span<float> scores)
    {
        ThrowIfNotRows(logits);
        return Rank(logits, _vocabulary.AsSpan(), position, history, tokens, scores);
    }

    /// <summary>The token at <paramref name="position"/> among some of the vocabulary, with the same filters and noise.
    /// </summary>
    /// <param name="tokens">Token ids, strictly ascending, at least one and no more than this sampler's rows.</param>
    /// <param name="logits">Their raw logits, <c>[tokens]</c>; not changed.</param>
    /// <param name="position">Absolute position of the token to choose.</param>
    /// <param name="history">As in <see cref="Sample"/>.</param>
    /// <param name="lead">How far the token's score is ahead of the second's (see <see cref="Rank(ReadOnlySpan{float},
    /// int, ReadOnlySpan{int}, Span{int}, Span{float})"/>); at most <see cref="LargestLead"/>, which also stands for a
    /// token without rival.</param>
    /// <exception cref="ArgumentException">The lengths differ or are too large, or the logits are unusable.</exception>
    public int SampleAmong(
        ReadOnlySpan<int> tokens, ReadOnlySpan<float> logits, int position, ReadOnlySpan<int> history, out float lead)
    {
        ThrowIfNotSome(tokens, logits);
        Span<int> best = stackalloc int[2];
        Span<float> scores = stackalloc float[2];
        var count = Rank(logits, tokens, position, history, best, scores);
        lead = count == 1 ? LargestLead : MathF.Min(scores[0] - scores[1], LargestLead);
        return best[0];
    }

    private int Rank(
        ReadOnlySpan<float> logits,
        ReadOnlySpan<int> vocabulary,
        int position,
        ReadOnlySpan<int> history,
        Span<int> tokens,
        Span<float> scores)
    {
        logits = Prepare(logits, vocabulary, position, history, out var best);
        if (_candidates is not null)
        {
            return Survivors(logits, best, vocabulary).Rank(_options.Seed, position, tokens, scores);
        }

        var count = Logits.Largest(logits, tokens, scores);
        foreach (ref var token in tokens[..count])
        {
            token = TokenOf(token, vocabulary);
        }

        return count;
    }

    private void ThrowIfNotRows(ReadOnlySpan<float> logits)
    {
        if (logits.Length != _rowCount)
        {
            throw new ArgumentException(
                $"The logits have the wrong length: needed [{_rowCount}], got [{logits.Length}].", nameof(logits));
        }
    }

    private void ThrowIfNotSome(ReadOnlySpan<int> tokens, ReadOnlySpan<float> logits)
    {
        if (tokens.IsEmpty || tokens.Length > _rowCount || tokens.Length != logits.Length)
        {
            throw new ArgumentException(
                $"A choice among tokens needs 1 to {_rowCount} tokens and as many logits, got {tokens.Length} and {logits.Length}.",
                nameof(tokens));
        }
    }

    private ReadOnlySpan<float> Prepare(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> vocabulary, int position, ReadOnlySpan<int> history, out int best)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(position);
        logits = Penalise(logits, vocabulary, history);
        best = Logits.ArgMax(logits);
        return logits;
    }

    private static int TokenOf(int row, ReadOnlySpan<int> vocabulary) => vocabulary.IsEmpty ? row : vocabulary[row];

    private Candidates Survivors(ReadOnlySpan<float> logits, int best, ReadOnlySpan<int> vocabulary)
    {
        var candidates = _candidates!;
        candidates.Collect(logits, logits[best], 1f / _options.Temperature, vocabulary);
        if (_options.TopK > 0)
        {
            candidates.KeepTopK(_options.TopK);
        }

        if (_options.TopP < 1f)
        {
            candidates.KeepTopP(_options.TopP);
        }

        if (_options.MinP > 0f)
        {
            candidates.KeepWithin(_minPDistance);
        }

        return candidates;
    }

    private ReadOnlySpan<float> Penalise(
        ReadOnlySpan<float> logits, ReadOnlySpan<int> vocabulary, ReadOnlySpan<int> history)
    {
        if (_penalised.Length == 0)
        {
            return logits;
        }

        logits.CopyTo(_penalised);
        var penalty = _options.RepetitionPenalty;
        foreach (var token in history[Math.Max(0, history.Length - _options.RepetitionWindow)..])
        {
            var row = vocabulary.IsEmpty ? token : vocabulary.BinarySearch(token);
            if ((uint)row < (uint)logits.Length)
            {
                // From the raw logit, so that a token seen twice is penalised once.
                _penalised[row] = logits[row] > 0f ? logits[row] / penalty : logits[row] * penalty;
            }
        }

        return _penalised.AsSpan(0, logits.Length);
    }

    private static void CheckVocabulary(ReadOnlySpan<int> vocabulary, int vocabSize)
    {
        var previous = -1;
        foreach (var token in vocabulary)
        {
            if (token <= previous || token >= vocabSize)
            {
                throw new ArgumentException(
                    $"A draft vocabulary must hold ascending token ids below the vocabulary size {vocabSize}, got "
                    + $"{token} after {previous}. The draft model's file is broken.",
                    nameof(vocabulary));
            }

            previous = token;
        }
    }
}
