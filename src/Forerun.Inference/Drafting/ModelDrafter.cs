using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

namespace Forerun.Inference.Drafting;

/// <summary>Drafts with a small language model and the target's own sampling noise. No allocation per token. One
/// generation and one caller at a time.</summary>
/// <remarks>The cache always holds a prefix of the history without a gap: <see cref="Propose"/> rolls back to the
/// common prefix and feeds what is missing, the last draft token after full acceptance included.</remarks>
public sealed class ModelDrafter : IDrafter, IDisposable
{
    private const int ChunkRows = 128;

    private readonly LanguageModel _model;
    private readonly ForwardPass _pass;
    private readonly ForwardBatch _batch = new();
    private readonly int[] _tokens;
    private KvCache? _cache;
    private TokenSampler? _sampler;
    private bool _ignoreEndTokens;

    /// <summary>Drafts with this model; the caller keeps owning it.</summary>
    public ModelDrafter(LanguageModel model)
    {
        _model = model;
        _pass = model.CreatePass(ChunkRows, maxLogitRows: 1);
        _tokens = new int[model.Config.MaxPositionEmbeddings + 1];
    }

    /// <inheritdoc/>
    public void Begin(GenerationRequest request)
    {
        _cache?.Dispose();
        _cache = _model.CreateCache();
        _sampler = new TokenSampler(request.Sampling, _model.Config.VocabSize, _model.DraftVocabulary);
        _ignoreEndTokens = request.IgnoreEndTokens;
    }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException"><see cref="Begin"/> was not called.</exception>
    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        if (_cache is null || _sampler is null)
        {
            throw new InvalidOperationException("No generation has begun: call Begin before Propose.");
        }

        var room = _model.Config.MaxPositionEmbeddings - history.Length + 1;
        var count = Math.Min(destination.Length, room);
        if (count <= 0)
        {
            return 0;
        }

        CatchUp(_cache, history);
        for (var i = 0; i < count; i++)
        {
            var length = history.Length + i;
            var token = _sampler.Sample(_pass.Logits(0), length, _tokens.AsSpan(0, length));
            destination[i] = token;
            if (i + 1 == count || IsEnd(token))
            {
                return i + 1;
            }

            _tokens[length] = token;
            Feed(_cache, length, length + 1);
        }

        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cache?.Dispose();
        _pass.Dispose();
    }

    /// <summary>Rolls back to what the cache shares with the history and feeds the rest, the newest token always.
    /// </summary>
    private void CatchUp(KvCache cache, ReadOnlySpan<int> history)
    {
        var shared = history[..^1].CommonPrefixLength(_tokens.AsSpan(0, cache.Length));
        cache.RollbackTo(shared);
        history[shared..].CopyTo(_tokens.AsSpan(shared));
        for (var start = shared; start < history.Length; start += ChunkRows)
        {
            Feed(cache, start, Math.Min(start + ChunkRows, history.Length));
        }
    }

    private void Feed(KvCache cache, int start, int end)
    {
        _batch.Clear();
        _batch.Add(cache, _tokens.AsSpan(start, end - start), logitRows: 1);
        _pass.Run(_batch);
    }

    private bool IsEnd(int token) => !_ignoreEndTokens && _model.Tokenizer.EndTokens.Contains(token);
}
