using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Inference.Exits;

namespace Forerun.Cloud;

/// <summary>One generation as its owner sees it: drafts in, events out. The scheduler's lock guards the members that
/// the scheduler uses.</summary>
internal sealed class LocalVerification : IVerification
{
    // Unbounded for the type, bounded by the context: a generation has at most one verdict per output token.
    private readonly Channel<VerificationEvent> _events =
        Channel.CreateUnbounded<VerificationEvent>(new UnboundedChannelOptions { SingleReader = true });

    private readonly VerificationScheduler _scheduler;
    private readonly DraftInbox _inbox;
    private readonly DecodingMode _mode;
    private Assumption _announced;
    private bool _isAnswering;

    public LocalVerification(
        VerificationScheduler scheduler,
        TargetSession session,
        DraftInbox inbox,
        DecodingMode mode,
        DraftSession? drafting = null)
    {
        _scheduler = scheduler;
        _inbox = inbox;
        _mode = mode;
        Session = session;
        Drafting = drafting;
    }

    /// <inheritdoc/>
    public WireBytes Bytes => default;

    /// <summary>Rounds that have their verdict.</summary>
    public int DecidedRounds => _inbox.Round - 1;

    /// <summary>The target's side.</summary>
    internal TargetSession Session { get; }

    /// <summary>The server's own drafting; null where the edge drafts or nobody does.</summary>
    internal DraftSession? Drafting { get; }

    /// <summary>Makes the announcements of a generation that drafts ahead; null where the target has no exits.</summary>
    internal ExitAnnouncer? Announcer { get; init; }

    /// <summary>Keeps cores awake for it; null = they may halt.</summary>
    internal AwakeCores? Awake { get; init; }

    /// <summary>Counts generations: a smaller number is older.</summary>
    internal long Number { get; init; }

    /// <summary>The pass that it was last part of.</summary>
    internal long LastUsed { get; set; }

    /// <summary>The last pass went without it for want of memory.</summary>
    internal bool WaitsForMemory { get; set; }

    /// <summary>Its caches hold memory.</summary>
    internal bool HoldsMemory => Session.Cache.Bytes + (Drafting?.Bytes ?? 0) > 0;

    /// <summary>Looks at it since its edge last said something, while it waited for it.</summary>
    internal int SilentLooks { get; set; }

    /// <summary>When it became ready for a pass.</summary>
    internal long ReadySince { get; set; }

    /// <summary>Time spent ready since the last verdict.</summary>
    internal TimeSpan Queued { get; set; }

    /// <summary>It waits for a pass.</summary>
    internal bool IsReady { get; set; }

    /// <summary>It is part of the running pass.</summary>
    internal bool IsRunning { get; set; }

    /// <summary>Nothing more is computed for it.</summary>
    internal bool IsClosed { get; private set; }

    /// <summary>Completes when its memory is free.</summary>
    internal TaskCompletionSource Released { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The draft to verify next; an empty one where the round is streamed.</summary>
    internal Draft? NextDraft => _inbox.Next;

    /// <summary>There is a draft to verify.</summary>
    internal bool HasDraft => _inbox.HasNext;

    /// <summary>The round needs no draft, and has none but perhaps an offer.</summary>
    internal bool IsStreamed => _inbox.IsStreamed;

    /// <summary>There are rows to compute.</summary>
    internal bool HasWork => !IsClosed && (HasDraft || Drafting is not null || Session.PrefillRows > 0);

    /// <inheritdoc/>
    public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _scheduler.Submit(this, draft);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _scheduler.Stream(this, throughRound);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask OfferAsync(IReadOnlyList<Draft> drafts, int draftLength, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _scheduler.Offer(this, drafts, draftLength);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var next = await _events.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (next is SignOfLife)
            {
                Volatile.Write(ref _isAnswering, false);
            }

            return next;
        }
        catch (ChannelClosedException exception) when (exception.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    /// <summary>The edge gave a sign of life: it is answered, unless an answer waits to be read already.</summary>
    public void Hear()
    {
        _scheduler.Hear(this);
        if (!Interlocked.Exchange(ref _isAnswering, true))
        {
            _events.Writer.TryWrite(new SignOfLife());
        }
    }

    /// <summary>Ends the generation; the reader sees the error.</summary>
    public void Cancel(Exception error) => _scheduler.Cancel(this, error);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _scheduler.Cancel(this);
        await Released.Task.ConfigureAwait(false);
    }

    /// <summary>Takes in a draft.</summary>
    internal void AddDraft(Draft draft)
    {
        CheckEdgeDrafts("draft", draft.Round);
        if (draft.Assumption is { } assumption && _mode != DecodingMode.Pipelined)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                $"A draft with an assumption came in {_mode.ToString().ToLowerInvariant()} mode, in which a draft follows a "
                + "verdict. Open the generation in pipelined mode to send drafts ahead.",
                "no assumption",
                $"one about round {assumption.Round}");
        }

        _inbox.Add(draft);
    }

    /// <summary>Rounds up to this one need no draft.</summary>
    internal void Stream(int throughRound)
    {
        CheckEdgeDrafts("request to stream", throughRound);
        _inbox.Stream(throughRound);
    }

    /// <summary>Takes in drafts for streamed rounds.</summary>
    internal void AddOffer(IReadOnlyList<Draft> drafts, int draftLength)
    {
        CheckEdgeDrafts("draft", _inbox.Round);
        foreach (var draft in drafts)
        {
            _inbox.Offer(draft, draftLength);
        }
    }

    /// <summary>In a streamed round: an offer that fits the text is its draft.</summary>
    internal void TakeOffer() => _inbox.TakeOffer(Session.TokensWithRoom(0));

    /// <summary>Takes in what the server itself drafted.</summary>
    internal void AddOwnDraft()
    {
        var tokens = Session.TokensWithRoom(Drafting!.Length)[Session.CommittedLength..];
        _inbox.Add(new Draft(_inbox.Round, _inbox.BasePosition, [.. tokens]) { DraftProbs = [.. Drafting.DraftProbs] });
    }

    /// <summary>Frees the caches' memory; what they held is computed again.</summary>
    internal void DropCaches()
    {
        Session.DropCache();
        Drafting?.DropCache();
    }

    /// <summary>Sends an announcement unless the one before said the same. One caller at a time.</summary>
    internal void Announce(Announcement announcement)
    {
        var said = new Assumption(announcement.Round, announcement.AcceptedCount, announcement.NextToken);
        if (said != _announced)
        {
            _announced = said;
            _events.Writer.TryWrite(announcement);
        }
    }

    /// <summary>Ends the round with its verdict, and the generation when it is over.</summary>
    internal void Decide(AcceptanceResult result)
    {
        var timings = new ServerTimings(Queued, Session.TakeCompute());
        var isLast = result.FinishReason is not null;
        var verdict = new Verdict(_inbox.Round, result.AcceptedCount, result.NextToken, timings, isLast)
        {
            LogProbabilities = Session.LogProbabilities,
        };
        if ((Drafting is not null || IsStreamed) && _inbox.Next is { } draft)
        {
            verdict = verdict with
            {
                AcceptedTokens = draft.Tokens[..result.AcceptedCount],
                DraftLength = draft.Tokens.Length,
            };
        }

        Queued = TimeSpan.Zero;
        _inbox.Decide(verdict);
        _events.Writer.TryWrite(verdict);
        if (result.FinishReason is { } reason)
        {
            _events.Writer.TryWrite(new GenerationEnd(reason, Session.Usage with
            {
                QueuedDrafts = _inbox.QueuedDrafts,
                MatchedDrafts = _inbox.MatchedDrafts,
            }));
            Close();
        }
    }

    /// <summary>Nothing more comes; readers see the error after what was sent before.</summary>
    internal void Close(Exception? error = null)
    {
        IsClosed = true;
        _events.Writer.TryComplete(error);
    }

    private void CheckEdgeDrafts(string what, int round)
    {
        if (!_mode.DraftsOnEdge())
        {
            var mode = _mode == DecodingMode.Autoregressive ? "autoregressive mode" : "colocated mode, in which the server drafts";
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                $"A {what} came in {mode}. Open the generation in speculative mode to send drafts.",
                $"no {what}",
                $"one of round {round}");
        }
    }
}
