using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Forerun.Cloud;

/// <summary>Runs all sessions' rows on the target: one thread, one ragged batch per pass, verifications first, oldest
/// first. A long prompt goes in chunks, so that others wait for one chunk at most. Thread-safe.</summary>
public sealed partial class VerificationScheduler : IDisposable
{
    private readonly object _gate = new();
    private readonly List<LocalVerification> _ready = [];
    private readonly HashSet<LocalVerification> _sessions = [];
    private readonly KeptCaches _kept = new();
    private readonly LanguageModel _target;
    private readonly KvBudget _budget;
    private readonly DraftRunner? _drafts;
    private readonly SchedulerOptions _options;
    private readonly TimeProvider _time;
    private readonly ExitRunner? _exits;
    private readonly PassRunner _runner;
    private readonly IEnumerator<int> _loops;
    private readonly Thread _thread;
    private TaskCompletionSource? _empty;
    private long _passes;
    private long _generations;
    private bool _promptsFirst;
    private bool _isLeaving;
    private bool _isStopped;

    /// <summary>Starts the thread; the caller keeps owning the models and disposes them after this.</summary>
    /// <param name="target">The target.</param>
    /// <param name="options">How much is done at once; null = defaults.</param>
    /// <param name="timeProvider">Measures passes; null = the system's clock.</param>
    /// <param name="logger">Null = no log.</param>
    /// <param name="draft">Draft model for mode <see cref="DecodingMode.Colocated"/>; null (default) = that mode is refused.
    /// </param>
    /// <param name="exits">The target's exits, for modes that draft ahead; null (default) = nothing is announced.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    /// <exception cref="ModelMismatchException">The draft model has another tokenizer than the target.</exception>
    public VerificationScheduler(
        LanguageModel target,
        SchedulerOptions? options = null,
        TimeProvider? timeProvider = null,
        ILogger<VerificationScheduler>? logger = null,
        LanguageModel? draft = null,
        ExitHeads? exits = null)
    {
        _options = options ?? SchedulerOptions.Default;
        _options.Validate();
        _target = target;
        _time = timeProvider ?? TimeProvider.System;
        _budget = new KvBudget(target, draft, _options.KvMemory);
        Description = new TargetDescription(
            target.Id,
            target.Tokenizer.Fingerprint,
            target.NumericsId,
            Protocol.ProtocolConstants.Version,
            target.Config.MaxPositionEmbeddings,
            _options.MaxDraftLength);
        if (draft is not null)
        {
            RequestCheck.CheckFingerprint(draft.Tokenizer.Fingerprint, Description);
        }

        logger ??= NullLogger<VerificationScheduler>.Instance;
        _exits = exits is null ? null : new ExitRunner(exits, _options, target.Threads < ProcessCores.Count, logger);
        _runner = new PassRunner(target, _options, _time, logger, _exits);
        _drafts = draft is null ? null : new DraftRunner(draft, _options, _time, logger);
        _loops = target.CompileLoops().GetEnumerator();
        _thread = new Thread(Run) { IsBackground = true, Name = "Forerun target" };
        _silence = WatchSilence();
        _thread.Start();
    }

    /// <summary>What runs here.</summary>
    public TargetDescription Description { get; }

    /// <summary>Bytes that all KV caches may take.</summary>
    public long KvMemory => _budget.Bytes;

    /// <summary>Caches of generations that are over, kept for their prefixes.</summary>
    public int KeptCacheCount
    {
        get
        {
            lock (_gate)
            {
                return _kept.Count;
            }
        }
    }

    /// <summary>Sessions that are open.</summary>
    public int SessionCount
    {
        get
        {
            lock (_gate)
            {
                return _sessions.Count;
            }
        }
    }

    /// <summary>Starts a generation; its prompt is ready for the next pass.</summary>
    /// <exception cref="ProtocolException">The request does not fit the target.</exception>
    /// <exception cref="VerifierUnavailableException">There is no room, or the server is leaving.</exception>
    internal LocalVerification Open(GenerationRequest request)
    {
        var limits = RequestCheck.Check(request, _target);
        RequestCheck.CheckMode(request, _drafts is not null, _options.MaxDraftLength);
        if (!_budget.FitsPrompt(request.PromptTokens.Length))
        {
            throw TooLittleMemory(request.PromptTokens.Length);
        }

        var vocabSize = _target.Config.VocabSize;
        lock (_gate)
        {
            CheckRoom();
            var inbox = new DraftInbox(
                request.PromptTokens.Length, vocabSize, _options.MaxDraftLength, request.Sampling.NeedsDraftProbs());
            if (request.Mode == DecodingMode.Autoregressive)
            {
                inbox.Stream(int.MaxValue);
            }

            var session = new TargetSession(_target, request, limits);
            var verification = new LocalVerification(
                this,
                session,
                inbox,
                request.Mode,
                request.Mode == DecodingMode.Colocated ? _drafts!.CreateSession(request) : null)
            {
                Number = ++_generations,
                Announcer = request.Mode.DraftsAhead()
                    ? _exits?.CreateAnnouncer(request, limits)
                    : null,
                Awake = _options.KeepAwake ? new AwakeCores() : null,
            };
            _sessions.Add(verification);
            Enqueue(verification);
            return verification;
        }
    }

    /// <summary>Takes in a draft; what comes after the end is dropped.</summary>
    /// <exception cref="ProtocolException">The draft is malformed or follows no verdict; the session is over.
    /// </exception>
    internal void Submit(LocalVerification verification, Draft draft) =>
        TakeIn(verification, () => verification.AddDraft(draft));

    /// <summary>Lets a session go on without drafts, up to a round.</summary>
    /// <exception cref="ProtocolException">The edge does not draft in this mode; the session is over.</exception>
    internal void Stream(LocalVerification verification, int throughRound) =>
        TakeIn(verification, () => verification.Stream(throughRound));

    /// <summary>Takes in an offer for a session's streamed rounds.</summary>
    /// <exception cref="ProtocolException">The draft is malformed; the session is over.</exception>
    internal void Offer(LocalVerification verification, IReadOnlyList<Draft> drafts, int draftLength) =>
        TakeIn(verification, () => verification.AddOffer(drafts, draftLength));

    /// <summary>Drops a session and its queued work; a running pass is its last.</summary>
    /// <param name="verification">The session.</param>
    /// <param name="error">What its reader sees; null when nobody reads any more.</param>
    internal void Cancel(LocalVerification verification, Exception? error = null)
    {
        lock (_gate)
        {
            Close(verification, error);
        }
    }

    /// <summary>Leaves: refuses new sessions, lets every session finish the round it is in, and ends it there.
    /// Completes when no session is left.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            _isLeaving = true;
            foreach (var verification in _sessions.Where(IsAtRest).ToArray())
            {
                Close(verification, Leaving());
            }

            _empty ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            SignalIfEmpty();
            return _empty.Task;
        }
    }

    /// <summary>Ends all sessions and the thread; waits for the running pass.</summary>
    public void Dispose()
    {
        _silence.Dispose();
        lock (_gate)
        {
            _isLeaving = true;
            _isStopped = true;
            foreach (var verification in _sessions.ToArray())
            {
                Close(verification, Leaving());
            }

            Monitor.PulseAll(_gate);
        }

        _thread.Join();
        _loops.Dispose();
        _runner.Dispose();
        _exits?.Dispose();
        _drafts?.Dispose();
        _kept.Dispose();
    }

    private void TakeIn(LocalVerification verification, Action takeIn)
    {
        lock (_gate)
        {
            if (verification.IsClosed)
            {
                return;
            }

            try
            {
                takeIn();
            }
            catch (ProtocolException exception)
            {
                Close(verification, exception);
                throw;
            }

            Enqueue(verification);
        }
    }

    private static bool IsAtRest(LocalVerification verification) =>
        !verification.IsRunning && (verification.NextDraft is null || verification.IsClosed);

    private static VerifierUnavailableException Leaving() => new(new VerificationError(
        VerificationErrorCode.GoingAway, "The server is shutting down. Try again later or elsewhere."));

    private void CheckRoom()
    {
        if (_isLeaving)
        {
            throw Leaving();
        }

        if (_sessions.Count >= _options.MaxSessions)
        {
            throw new VerifierUnavailableException(new VerificationError(
                VerificationErrorCode.Overloaded,
                "The server is full. Try again later or elsewhere.",
                $"at most {_options.MaxSessions} sessions",
                $"{_sessions.Count + 1}"));
        }
    }
}
