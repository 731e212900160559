using System.Collections.Immutable;
using System.Threading.Tasks.Sources;
using Forerun.Cloud;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Edge;

/// <summary>A verifier over a known text, with the server's own inbox, on a clock of its own: every look of the edge at
/// whether its read is complete is one tick. When a verdict is decided, when it arrives, and when what the edge sends
/// arrives, is drawn from a seed: so a run is one interleaving, and seeds explore them.</summary>
internal sealed class FakeTarget(ImmutableArray<int> text, int vocabSize, int seed) : IVerifier, IVerification,
    IValueTaskSource<VerificationEvent>
{
    // A draft model looks after each of its layers, so a draft step is several ticks.
    private const int MostTicksOfAPass = 36;

    private readonly Random _random = new(seed);
    private readonly Queue<(int At, Action<DraftInbox> TakeIn)> _up = new();
    private readonly Queue<(int At, VerificationEvent Event)> _down = new();
    private GenerationLimits _limits = null!;
    private DraftInbox _inbox = null!;
    private ImmutableArray<int> _prompt;
    private int _now;
    private int _decideAt = -1;
    private int _lastUp;
    private int _lastDown;

    /// <summary>Makes an event to announce in a round; null = none.</summary>
    public Func<Random, Verdict, Announcement?> Announce { get; init; } = (_, _) => null;

    public List<Draft> Sent { get; } = [];

    public List<Draft> Offered { get; } = [];

    public bool IsOver { get; private set; }

    public DraftInbox Inbox => _inbox;

    public WireBytes Bytes => default;

    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        _prompt = request.PromptTokens;
        _limits = new GenerationLimits(int.MaxValue, _prompt.Length, text.Length);
        _inbox = new DraftInbox(_prompt.Length, vocabSize, 16);
        return ValueTask.FromResult<IVerification>(this);
    }

    public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default)
    {
        Sent.Add(draft);
        return SendAsync(inbox => inbox.Add(draft));
    }

    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default) =>
        SendAsync(inbox => inbox.Stream(throughRound));

    public ValueTask OfferAsync(IReadOnlyList<Draft> drafts, int draftLength, CancellationToken cancellationToken = default)
    {
        Draft[] offered = [.. drafts];
        Offered.AddRange(offered);
        return SendAsync(inbox => Array.ForEach(offered, draft => inbox.Offer(draft, draftLength)));
    }

    public ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default) => new(this, 0);

    public ValueTaskSourceStatus GetStatus(short token)
    {
        Tick();
        return _down.TryPeek(out var next) && next.At <= _now
            ? ValueTaskSourceStatus.Succeeded
            : ValueTaskSourceStatus.Pending;
    }

    public VerificationEvent GetResult(short token) => _down.Dequeue().Event;

    /// <summary>The edge has nothing left to do: time passes until something arrives.</summary>
    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        for (var i = 0; GetStatus(token) == ValueTaskSourceStatus.Pending; i++)
        {
            Assert.True(i < 1000, "Nothing ever arrives: the edge waits for a verdict of a draft it has not sent.");
        }

        continuation(state);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask SendAsync(Action<DraftInbox> takeIn)
    {
        _lastUp = Math.Max(_lastUp, _now + _random.Next(5));
        _up.Enqueue((_lastUp, takeIn));
        return ValueTask.CompletedTask;
    }

    private void Tick()
    {
        _now++;
        while (_up.TryPeek(out var up) && up.At <= _now)
        {
            _up.Dequeue();
            if (!IsOver)
            {
                up.TakeIn(_inbox);
            }
        }

        if (!IsOver && _decideAt < 0)
        {
            _inbox.TakeOffer([.. _prompt, .. text.AsSpan(0, _inbox.BasePosition - _prompt.Length)]);
        }

        if (_inbox.Next is not { } draft || IsOver)
        {
            return;
        }

        if (_decideAt < 0)
        {
            _decideAt = _now + 1 + _random.Next(MostTicksOfAPass);
            Send(Announce(_random, Verify(draft)));
        }

        if (_now >= _decideAt)
        {
            Decide(draft);
        }
    }

    private void Decide(Draft draft)
    {
        var verdict = Verify(draft);
        _decideAt = -1;
        Send(verdict);
        _inbox.Decide(verdict);
        if (verdict.IsLast)
        {
            IsOver = true;
            Send(new GenerationEnd(FinishReason.Length, new Usage { OutputTokens = text.Length }));
        }

        Send(Announce(_random, verdict));
    }

    private Verdict Verify(Draft draft)
    {
        Assert.Equal((_inbox.Round, _inbox.BasePosition), (draft.Round, draft.BasePosition));
        var start = draft.BasePosition - _prompt.Length;
        var count = _limits.DraftLength(draft.BasePosition, draft.Tokens.Length);
        var result = Acceptance.Accept(
            draft.Tokens.AsSpan(0, count), draft.BasePosition, _limits, text, (own, row) => own[start + row]);
        return new Verdict(
            draft.Round, result.AcceptedCount, result.NextToken, default, result.FinishReason is not null)
        {
            AcceptedTokens = _inbox.IsStreamed ? draft.Tokens[..result.AcceptedCount] : [],
            DraftLength = _inbox.IsStreamed ? draft.Tokens.Length : 0,
        };
    }

    private void Send(VerificationEvent? verificationEvent)
    {
        // After the last verdict comes the end, and nothing else.
        if (verificationEvent is null || (IsOver && verificationEvent is not GenerationEnd))
        {
            return;
        }

        _lastDown = Math.Max(_lastDown, _now + _random.Next(4));
        _down.Enqueue((_lastDown, verificationEvent));
    }
}
