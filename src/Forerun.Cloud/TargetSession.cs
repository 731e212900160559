using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;

namespace Forerun.Cloud;

/// <summary>One generation on the target: its tokens, cache and sampler. Between rounds the cache holds every token
/// except the newest. One caller at a time.</summary>
internal sealed class TargetSession : IDisposable
{
    private readonly LanguageModel _target;
    private readonly TokenSampler _sampler;
    private readonly GenerationLimits _limits;
    private readonly int _promptLength;
    private readonly int? _topLogProbabilities;
    private KvCache _cache;
    private int[] _tokens;
    private int _committed;
    private ImmutableArray<SparseDistribution> _draftProbs = [];
    private int _draftLength = -1;
    private int _plannedRows;
    private int _firstLogitRow;
    private TimeSpan _compute;
    private Usage _usage;

    /// <summary>Starts with the prompt; nothing is computed yet.</summary>
    public TargetSession(LanguageModel target, GenerationRequest request, GenerationLimits limits)
    {
        _target = target;
        _sampler = new TokenSampler(request.Sampling, target.Config.VocabSize, target.DraftVocabulary);
        _limits = limits;
        _promptLength = request.PromptTokens.Length;
        _topLogProbabilities = request.TopLogProbabilities;
        _tokens = new int[_promptLength + 256];
        request.PromptTokens.CopyTo(_tokens);
        _committed = _promptLength;
        _usage = new Usage { PromptTokens = _promptLength };
        _cache = target.CreateCache();
    }

    /// <summary>Prompt rows that are still to be computed, the newest token's not counted.</summary>
    public int PrefillRows => _committed - 1 - _cache.Length;

    /// <summary>Tokens that stand: the prompt and the output so far.</summary>
    public int CommittedLength => _committed;

    /// <summary>Tokens whose keys and values the cache holds.</summary>
    public ReadOnlySpan<int> CachedTokens => _tokens.AsSpan(0, _cache.Length);

    /// <summary>Keys and values; another session may fork it.</summary>
    public KvCache Cache => _cache;

    /// <summary>The planned rows hold a verification.</summary>
    public bool Verifies => _draftLength >= 0;

    /// <summary>The tokens that stand and the draft under verification.</summary>
    public ReadOnlySpan<int> VerifiedTokens => _tokens.AsSpan(0, _committed + Math.Max(0, _draftLength));

    /// <summary>What the draft's tokens were drawn from; empty unless rejection sampling needs it.</summary>
    public ImmutableArray<SparseDistribution> DraftProbs => _draftProbs;

    /// <summary>Where this session's rows with logits start in the pass.</summary>
    public int FirstLogitRow => _firstLogitRow;

    /// <summary>Bytes that the planned rows allocate.</summary>
    public long BytesToAdd => _cache.BytesToReserve(_plannedRows);

    /// <summary>Plans this session's next rows: prompt rows first, then, when they all fit, the newest token and the draft.
    /// </summary>
    /// <param name="draft">The draft to verify; null when there is none yet.</param>
    /// <param name="prefillRows">Most prompt rows.</param>
    /// <param name="rows">Most rows in all.</param>
    /// <returns>Number of rows; 0 when none fit.</returns>
    public int PlanRows(Draft? draft, int prefillRows, int rows)
    {
        var prefill = Math.Min(PrefillRows, Math.Min(prefillRows, rows));
        var draftLength = draft is null ? -1 : DraftRoom(draft.Tokens.Length);
        var verifies = draft is not null && prefill == PrefillRows && prefill + draftLength + 1 <= rows;
        _draftLength = verifies ? draftLength : -1;
        if (verifies)
        {
            draft!.Tokens.AsSpan(0, draftLength).CopyTo(TokensWithRoom(draftLength + 1)[_committed..]);
            _draftProbs = draft.DraftProbs.IsEmpty ? [] : draft.DraftProbs[..draftLength];
        }

        return _plannedRows = prefill + _draftLength + 1;
    }

    /// <summary>Adds the planned rows to a pass.</summary>
    /// <returns>How many of them are prompt rows.</returns>
    public int AddRows(ForwardBatch batch)
    {
        _firstLogitRow = batch.Add(_cache, _tokens.AsSpan(_cache.Length, _plannedRows), _draftLength + 1);
        return _plannedRows - (_draftLength + 1);
    }

    /// <summary>Takes over the first positions of another cache whose tokens are this session's too.</summary>
    public void Adopt(KvCache other, int length)
    {
        _cache.Dispose();
        _cache = other.Fork(length);
        if (_usage.TargetPasses == 0)
        {
            _usage = _usage with { ReusedPromptTokens = length };
        }
    }

    /// <summary>Frees the cache's memory; its rows are prompt rows again.</summary>
    public void DropCache()
    {
        _cache.Dispose();
        _cache = _target.CreateCache();
    }

    /// <summary>Puts this session's cache among the kept ones.</summary>
    public void KeepIn(KeptCaches kept) => kept.Keep(CachedTokens, _cache);

    /// <summary>How many tokens a draft may have here.</summary>
    public int DraftRoom(int wanted) => _limits.DraftLength(_committed, wanted);

    /// <summary>Whether a token ends the text.</summary>
    public bool IsEndToken(int token) => _limits.IsEndToken(token);

    /// <summary>All tokens so far, and room for more: <c>[committed + extra]</c>.</summary>
    public Span<int> TokensWithRoom(int extra)
    {
        EnsureCapacity(_committed + extra);
        return _tokens.AsSpan(0, _committed + extra);
    }

    /// <summary>Counts time that was spent computing for this session beside its passes.</summary>
    public void AddCompute(TimeSpan compute)
    {
        _compute += compute;
        _usage = _usage with { Compute = _usage.Compute + compute };
    }

    /// <summary>The pass has run: accepts what the target agrees with and rolls the cache back to it.</summary>
    /// <returns>The verification's outcome; null after a pass over prompt rows only.</returns>
    public AcceptanceResult? Complete(ForwardPass pass, TimeSpan compute)
    {
        AddCompute(compute);
        _usage = _usage with { TargetPasses = _usage.TargetPasses + 1 };
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
        LogProbabilities = LogProbabilitiesOf(pass, result);
        Commit(result);
        return result;
    }

    /// <summary>How likely the target held the output tokens of the last verification; empty unless asked for.</summary>
    public ImmutableArray<LogProbabilities> LogProbabilities { get; private set; } = [];

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
        var logits = pass.Logits(_firstLogitRow + row);
        var history = _tokens.AsSpan(0, position);
        return row < _draftProbs.Length
            ? _sampler.Verify(logits, position, history, _tokens[position], _draftProbs[row])
            : _sampler.Sample(logits, position, history);
    }

    private ImmutableArray<LogProbabilities> LogProbabilitiesOf(ForwardPass pass, AcceptanceResult result)
    {
        if (_topLogProbabilities is not { } top)
        {
            return [];
        }

        var outputs = ImmutableArray.CreateBuilder<LogProbabilities>(result.AcceptedCount + 1);
        for (var row = 0; row <= result.AcceptedCount; row++)
        {
            var token = row < result.AcceptedCount ? _tokens[_committed + row] : result.NextToken;
            outputs.Add(Core.Sampling.LogProbabilities.Of(pass.Logits(_firstLogitRow + row), token, top));
        }

        return outputs.MoveToImmutable();
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
