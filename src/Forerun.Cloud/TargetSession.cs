using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;

namespace Forerun.Cloud;

/// <summary>One generation on the target: its tokens, cache and sampler. Between rounds the cache holds every token
/// except the newest. One caller at a time.</summary>
internal sealed class TargetSession : IDisposable
{
    private readonly KvCache _cache;
    private readonly TokenSampler _sampler;
    private readonly GenerationLimits _limits;
    private readonly int _promptLength;
    private int[] _tokens;
    private int _committed;
    private int _draftLength = -1;
    private int _firstLogitRow;
    private TimeSpan _compute;
    private Usage _usage;

    /// <summary>Starts with the prompt; nothing is computed yet.</summary>
    public TargetSession(LanguageModel target, GenerationRequest request, GenerationLimits limits)
    {
        _sampler = new TokenSampler(request.Sampling, target.Config.VocabSize, target.DraftVocabulary);
        _limits = limits;
        _promptLength = request.PromptTokens.Length;
        _tokens = new int[_promptLength + 256];
        request.PromptTokens.CopyTo(_tokens);
        _committed = _promptLength;
        _usage = new Usage { PromptTokens = _promptLength };
        _cache = target.CreateCache();
    }

    /// <summary>Prompt rows that are still to be computed, the newest token's not counted.</summary>
    public int PrefillRows => _committed - 1 - _cache.Length;

    /// <summary>Adds this session's next rows to a pass: prompt rows first, then, when they all fit, the newest token
    /// and the draft.</summary>
    /// <param name="batch">The pass's batch.</param>
    /// <param name="draft">The draft to verify; null when there is none yet.</param>
    /// <param name="prefillRows">Most prompt rows.</param>
    /// <param name="rows">Most rows in all.</param>
    /// <returns>Whether any rows were added.</returns>
    public bool AddRows(ForwardBatch batch, Draft? draft, int prefillRows, int rows)
    {
        var start = _cache.Length;
        var prefill = Math.Min(PrefillRows, Math.Min(prefillRows, rows));
        var draftLength = draft is null ? -1 : _limits.DraftLength(_committed, draft.Tokens.Length);
        var verifies = draft is not null && prefill == PrefillRows && prefill + draftLength + 1 <= rows;
        _draftLength = verifies ? draftLength : -1;
        if (prefill + _draftLength + 1 == 0)
        {
            return false;
        }

        if (verifies)
        {
            EnsureCapacity(_committed + draftLength + 1);
            draft!.Tokens.AsSpan(0, draftLength).CopyTo(_tokens.AsSpan(_committed));
        }

        _firstLogitRow = batch.Add(_cache, _tokens.AsSpan(start, prefill + _draftLength + 1), _draftLength + 1);
        return true;
    }

    /// <summary>The pass has run: accepts what the target agrees with and rolls the cache back to it.</summary>
    /// <returns>The verification's outcome; null after a pass over prompt rows only.</returns>
    public AcceptanceResult? Complete(ForwardPass pass, TimeSpan compute)
    {
        _compute += compute;
        _usage = _usage with { TargetPasses = _usage.TargetPasses + 1, Compute = _usage.Compute + compute };
        if (_draftLength < 0)
        {
            return null;
        }

        var result = Acceptance.Accept(
            _tokens.AsSpan(_committed, _draftLength),
            _committed,
            _limits,
            (Session: this, Pass: pass),
            static (state, row) => state.Session.SampleRow(state.Pass, row));
        Commit(result);
        return result;
    }

    /// <summary>Compute time since this was last asked.</summary>
    public TimeSpan TakeCompute()
    {
        var compute = _compute;
        _compute = TimeSpan.Zero;
        return compute;
    }

    /// <summary>Counts so far.</summary>
    public Usage Usage => _usage with { OutputTokens = _committed - _promptLength };

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private int SampleRow(ForwardPass pass, int row)
    {
        var position = _committed + row;
        return _sampler.Sample(pass.Logits(_firstLogitRow + row), position, _tokens.AsSpan(0, position));
    }

    private void Commit(AcceptanceResult result)
    {
        _usage = _usage with
        {
            Rounds = _usage.Rounds + 1,
            DraftedTokens = _usage.DraftedTokens + _draftLength,
            AcceptedTokens = _usage.AcceptedTokens + result.AcceptedCount,
        };
        _committed += result.AcceptedCount + 1;
        _tokens[_committed - 1] = result.NextToken;
        _cache.RollbackTo(_committed - 1);
    }

    private void EnsureCapacity(int length)
    {
        if (length > _tokens.Length)
        {
            Array.Resize(ref _tokens, Math.Max(length, _tokens.Length * 2));
        }
    }
}
