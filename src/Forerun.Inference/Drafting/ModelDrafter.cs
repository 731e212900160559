using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Inference.Drafting;

/// <summary>Drafts with a small language model and the target's own sampling noise; several branches as one batch. No
/// allocation per token, but for the draft probabilities that rejection sampling sends along. One generation and one caller at a time.</summary>
/// <remarks>A branch's cache always holds a prefix of its tokens without a gap: <see cref="Extend"/> feeds what is
/// missing, the last draft token after full acceptance included, and samples the token behind it. A small model is poor at
/// copying: where the last <see cref="Repeats.Sure"/> tokens stood together before, what followed them there comes before the
/// model's own choice, and where only a few did, directly behind it.</remarks>
public sealed class ModelDrafter : IDrafter, IDisposable
{
    private const int ChunkRows = 128;
    private const int LeastRepeat = 2;

    private readonly LanguageModel _model;
    private readonly ForwardPass _pass;
    private readonly ForwardBatch _batch = new();
    private readonly DraftBranch _own = new();
    private TokenSampler? _sampler;
    private SamplingOptions _sampling = SamplingOptions.Default;
    private bool _ignoreEndTokens;

    /// <summary>Drafts with this model; the caller keeps owning it.</summary>
    public ModelDrafter(LanguageModel model)
    {
        _model = model;
        _pass = model.CreatePass(ChunkRows, IDrafter.MaxBranches);
    }

    /// <summary>Whether text that repeats itself may be copied against the model's own choice (default). Never under rejection
    /// sampling, where a draft token is drawn from the model.</summary>
    public bool UsesRepeats { get; init; } = true;

    /// <inheritdoc/>
    public void Begin(GenerationRequest request)
    {
        _own.Dispose();
        _sampling = request.Sampling;
        _sampler = new TokenSampler(request.Sampling, _model.Config.VocabSize, _model.DraftVocabulary);
        _ignoreEndTokens = request.IgnoreEndTokens;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException"><see cref="Begin"/> was not called.</exception>
    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        _own.Follow(history, destination.Length);
        while (!_own.IsComplete)
        {
            Extend(new ReadOnlySpan<DraftBranch>(in _own));
        }

        _own.Drafted.CopyTo(destination);
        return _own.Count;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException"><see cref="Begin"/> was not called.</exception>
    public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        var sampler = _sampler ?? throw new InvalidOperationException(
            "No generation has begun: call Begin before Propose or Extend.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(branches.Length, IDrafter.MaxBranches);
        foreach (var branch in branches)
        {
            CatchUp(branch, ChunkRows / branches.Length);
        }

        _batch.Clear();
        foreach (var branch in branches)
        {
            if (!branch.IsEnded)
            {
                _batch.Add(branch.Cache!, branch.Tokens[branch.Cache!.Length..], logitRows: 1);
            }
        }

        if (_batch.RowCount > 0 && Run(isInterrupted))
        {
            Sample(sampler, branches);
        }
    }

    /// <inheritdoc/>
    public bool CanFollow(int token) => (uint)token < (uint)_model.Config.VocabSize && !IsEnd(token);

    /// <inheritdoc/>
    public void Dispose()
    {
        _own.Dispose();
        _pass.Dispose();
    }

    /// <summary>Feeds all but the last <paramref name="rows"/> missing tokens; ends a branch that has no room.</summary>
    private void CatchUp(DraftBranch branch, int rows)
    {
        if (branch.Tokens.Length > _model.Config.MaxPositionEmbeddings)
        {
            branch.End();
            return;
        }

        var cache = branch.Cache ??= _model.CreateCache();
        while (branch.Tokens.Length - cache.Length > rows)
        {
            var count = Math.Min(ChunkRows, branch.Tokens.Length - cache.Length - 1);
            _batch.Clear();
            _batch.Add(cache, branch.Tokens.Slice(cache.Length, count), logitRows: 0);
            _pass.Run(_batch);
        }
    }

    /// <summary>Runs the batch, a layer at a time where it may be interrupted; false when it was.</summary>
    private bool Run(Func<bool>? isInterrupted)
    {
        if (isInterrupted is null)
        {
            _pass.Run(_batch);
            return true;
        }

        _pass.Begin(_batch);
        for (var layer = 0; layer < _model.Config.NumHiddenLayers; layer++)
        {
            if (isInterrupted())
            {
                return false;
            }

            _pass.RunLayers(layer + 1);
        }

        _pass.RunHead();
        return true;
    }

    private void Sample(TokenSampler sampler, ReadOnlySpan<DraftBranch> branches)
    {
        var row = 0;
        foreach (var branch in branches)
        {
            if (branch.IsEnded)
            {
                continue;
            }

            var logits = _pass.Logits(row++);
            var drafted = _sampling.NeedsDraftProbs()
                ? DraftedToken.Draw(sampler.DraftProbs(logits, branch.Tokens), _sampling.Seed, branch.Tokens.Length)
                : Choose(sampler, logits, branch.Tokens);
            branch.Append(drafted);
            if (IsEnd(drafted.Token))
            {
                branch.End();
            }
        }
    }

    private DraftedToken Choose(TokenSampler sampler, ReadOnlySpan<float> logits, ReadOnlySpan<int> history)
    {
        Span<int> tokens = stackalloc int[TokenAlternatives.Capacity + 1];
        Span<float> scores = stackalloc float[TokenAlternatives.Capacity + 1];
        var count = sampler.Rank(logits, history.Length, history, tokens, scores);
        var (own, margin) = (tokens[0], count > 1 ? scores[0] - scores[1] : TokenSampler.LargestLead);
        var next = 0;
        var repeat = UsesRepeats ? Repeats.Find(history, LeastRepeat, Repeats.Sure, out next) : 0;
        if (repeat > 0)
        {
            count = Prefer(tokens, count, history[next], repeat == Repeats.Sure ? 0 : 1);
        }

        return new DraftedToken(
            tokens[0], new TokenAlternatives(tokens[1..count]), tokens[0] == own ? margin : float.NaN);
    }

    /// <summary>Moves a token to a rank, or inserts it there; nothing where its rank is better.</summary>
    /// <returns>How many tokens there are now.</returns>
    private static int Prefer(Span<int> tokens, int count, int token, int rank)
    {
        var at = tokens[..count].IndexOf(token);
        if (at >= 0 && at <= rank)
        {
            return count;
        }

        count = at >= 0 ? count : Math.Min(count + 1, tokens.Length);
        var moved = at >= 0 ? at : count - 1;
        tokens[rank..moved].CopyTo(tokens[(rank + 1)..]);
        tokens[rank] = token;
        return count;
    }

    private bool IsEnd(int token) => !_ignoreEndTokens && _model.Tokenizer.EndTokens.Contains(token);
}
