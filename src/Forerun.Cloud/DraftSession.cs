using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Drafting;

namespace Forerun.Cloud;

/// <summary>One generation's drafting on the server: the draft model's cache and the shared noise. The cache holds a
/// prefix of the generation's tokens, without a gap. One caller at a time.</summary>
/// <param name="model">Draft model.</param>
/// <param name="sampling">The generation's sampling: drafts use the target's own noise.</param>
/// <param name="wantedLength">Most tokens of a draft.</param>
internal sealed class DraftSession(LanguageModel model, SamplingOptions sampling, int wantedLength) : IDisposable
{
    private readonly TokenSampler _sampler = new(sampling, model.Config.VocabSize, model.DraftVocabulary);
    private readonly List<SparseDistribution> _draftProbs = [];
    private KvCache _cache = model.CreateCache();
    private int _room;
    private int _logitRow;

    /// <summary>Tokens drafted since <see cref="Begin"/>.</summary>
    public int Length { get; private set; }

    /// <summary>What they were drawn from, <c>[Length]</c>; empty unless rejection sampling needs it.</summary>
    public IReadOnlyList<SparseDistribution> DraftProbs => _draftProbs;

    /// <summary>Starts a draft behind the committed tokens: forgets what was drafted before and did not stand.</summary>
    public void Begin(TargetSession session)
    {
        var committed = session.CommittedLength;
        _cache.RollbackTo(Math.Min(_cache.Length, committed - 1));
        _room = Math.Clamp(model.Config.MaxPositionEmbeddings - committed + 1, 0, session.DraftRoom(wantedLength));
        Length = 0;
        _draftProbs.Clear();
        IsComplete = _room == 0;
    }

    /// <summary>Bytes that the cache holds.</summary>
    public long Bytes => _cache.Bytes;

    /// <summary>Bytes that this draft may allocate.</summary>
    public long BytesToDraft(TargetSession session) =>
        _room == 0 ? 0 : _cache.BytesToReserve(session.CommittedLength + _room - 1 - _cache.Length);

    /// <summary>Rows until the next token is drafted, its own newest token's included.</summary>
    public int Missing(TargetSession session) => session.CommittedLength + Length - _cache.Length;

    /// <summary>Adds the next rows, as many as fit: tokens to catch up with, and the newest one.</summary>
    /// <returns>Rows added; 0 when the draft is complete.</returns>
    public int AddRows(ForwardBatch batch, TargetSession session, int rows)
    {
        if (IsComplete || rows == 0)
        {
            return 0;
        }

        var missing = Missing(session);
        var count = Math.Min(missing, rows);
        var isNewest = count == missing;
        var first = batch.Add(_cache, session.TokensWithRoom(Length).Slice(_cache.Length, count), isNewest ? 1 : 0);
        _logitRow = isNewest ? first : -1;
        return count;
    }

    /// <summary>After a pass with its rows: drafts the next token if the newest one was among them.</summary>
    /// <returns>Whether the draft goes on in the next pass.</returns>
    public bool Complete(ForwardPass pass, TargetSession session)
    {
        if (_logitRow < 0)
        {
            return false;
        }

        var position = session.CommittedLength + Length;
        var tokens = session.TokensWithRoom(Length + 1);
        var token = Draft(pass.Logits(_logitRow), tokens[..position]);
        tokens[position] = token;
        Length++;
        IsComplete = Length == _room || session.IsEndToken(token);
        return !IsComplete;
    }

    private int Draft(ReadOnlySpan<float> logits, ReadOnlySpan<int> history)
    {
        if (!sampling.NeedsDraftProbs())
        {
            return Repeats.Find(history, Repeats.Sure, Repeats.Sure, out var next) > 0
                ? history[next]
                : _sampler.Sample(logits, history.Length, history);
        }

        var draftProbs = _sampler.DraftProbs(logits, history);
        _draftProbs.Add(draftProbs);
        return draftProbs.Draw(sampling.Seed, history.Length);
    }

    /// <summary>The draft is complete; else the cache has still to catch up.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Gives up this draft: it stays as short as it is.</summary>
    public void GiveUp() => IsComplete = true;

    /// <summary>Frees the cache's memory; the next draft catches up with all tokens.</summary>
    public void DropCache()
    {
        _cache.Dispose();
        _cache = model.CreateCache();
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();
}
