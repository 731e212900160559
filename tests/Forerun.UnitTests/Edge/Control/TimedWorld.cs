using System.Collections.Immutable;
using System.Threading.Tasks.Sources;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Inference.Drafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>How long things take in a scripted world.</summary>
internal sealed record WorldTimes(double DraftMs, double VerifyMs, double RowMs, double RoundTripMs)
{
    /// <summary>How much longer a pass takes when the edge drafted since the one before; 1 = as long.</summary>
    public double Beside { get; init; } = 1;

    private static readonly DateTimeOffset FirstMoment = new FakeTimeProvider().GetUtcNow();

    /// <summary>Others use the machine too; null = every time is as scripted.</summary>
    public SharedMachine? Shared { get; init; }

    /// <summary>A pass or a draft step.</summary>
    public TimeSpan Work(double ms, DateTimeOffset now) =>
        TimeSpan.FromMilliseconds(Shared?.Work(ms, VerifyMs, (now - FirstMoment).TotalMilliseconds) ?? ms);

    /// <summary>A message's way.</summary>
    public TimeSpan OneWay() => TimeSpan.FromMilliseconds((RoundTripMs / 2) + (Shared?.HeldUpMs(VerifyMs) ?? 0));
}

/// <summary>What other guests of a machine do to it: work takes up to a fifth more or less, in a quarter of all stretches of a hundred passes two
/// thirds longer, and now and then something is held up for several passes. The same seed, the same troubles.</summary>
internal sealed class SharedMachine(int seed)
{
    private const double Slower = 1.67;
    private const int Stretches = 1000;

    private readonly Random _random = new(seed);
    private readonly bool[] _isSlow = [.. new Random(seed).GetItems([true, false, false, false], Stretches)];

    /// <summary>What work takes that begins at a time.</summary>
    public double Work(double ms, double passMs, double atMs)
    {
        var isSlow = _isSlow[(int)(atMs / (100 * passMs)) % Stretches];
        return (ms * (0.8 + (0.4 * _random.NextDouble())) * (isSlow ? Slower : 1)) + HeldUpMs(passMs);
    }

    /// <summary>How long something is held up.</summary>
    public double HeldUpMs(double passMs) => _random.Next(60) == 0 ? 4 * passMs * _random.NextDouble() : 0;
}

/// <summary>A verifier over a known text whose passes and messages take scripted times. The clock moves when the edge
/// drafts, and when it waits.</summary>
internal sealed class TimedTarget(ImmutableArray<int> text, WorldTimes times, FakeTimeProvider clock)
    : IVerifier, IVerification, IValueTaskSource<VerificationEvent>
{
    private readonly List<(DateTimeOffset At, Draft Draft)> _sent = [];
    private readonly List<(DateTimeOffset At, int ThroughRound)> _streamed = [];
    private readonly List<(DateTimeOffset At, Draft Draft, int DraftLength)> _offered = [];
    private readonly Queue<VerificationEvent> _next = new();
    private Offers _offers = new();
    private ImmutableArray<int> _prompt;
    private GenerationLimits _limits = null!;
    private DateTimeOffset _decidedAt;
    private DateTimeOffset _arrivesAt;
    private Assumption? _decided;
    private int _position;
    private int _round;

    public List<DecodingMode> Opened { get; } = [];

    /// <summary>What the target says in the next generation.</summary>
    public ImmutableArray<int> Text { get; set; } = text;

    /// <summary>The edge drafted since the last pass.</summary>
    public bool HasDrafted { get; set; }

    /// <summary>How long streamed rounds have waited for word that they are streamed, but for first rounds.</summary>
    public TimeSpan StreamWaited { get; private set; }

    public WireBytes Bytes => default;

    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        Opened.Add(request.Mode);
        _sent.Clear();
        _streamed.Clear();
        _offered.Clear();
        _offers = new Offers();
        _prompt = request.PromptTokens;
        _limits = new GenerationLimits(int.MaxValue, request.PromptTokens.Length, Text.Length);
        (_position, _round, _decided) = (request.PromptTokens.Length, 1, null);
        (_decidedAt, PromptLength) = (clock.GetUtcNow() + times.OneWay(), _position);
        return ValueTask.FromResult<IVerification>(this);
    }

    public ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default)
    {
        _sent.Add((clock.GetUtcNow() + times.OneWay(), draft));
        return ValueTask.CompletedTask;
    }

    public ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default)
    {
        _streamed.Add((clock.GetUtcNow() + times.OneWay(), throughRound));
        return ValueTask.CompletedTask;
    }

    public ValueTask OfferAsync(IReadOnlyList<Draft> drafts, int draftLength, CancellationToken cancellationToken = default)
    {
        _offered.AddRange(drafts.Select(draft => (clock.GetUtcNow() + times.OneWay(), draft, draftLength)));
        return ValueTask.CompletedTask;
    }

    public TimeSpan? RoundTripTime => TimeSpan.FromMilliseconds(times.RoundTripMs);

    public ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_next.Count == 0)
        {
            Verify();
        }

        return new(this, 0);
    }

    public ValueTaskSourceStatus GetStatus(short token) =>
        clock.GetUtcNow() >= _arrivesAt ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

    public VerificationEvent GetResult(short token) => _next.Dequeue();

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        clock.SetUtcNow(_arrivesAt);
        continuation(state);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private int PromptLength { get; set; }

    private (DateTimeOffset At, Draft Draft) NextDraft()
    {
        var sent = _sent.Find(sent => sent.Draft.Round == _round
            && (sent.Draft.Assumption is null || sent.Draft.Assumption == _decided));
        if (sent.Draft is not null)
        {
            return sent;
        }

        var at = Opened[^1] == DecodingMode.Autoregressive
            ? _decidedAt
            : _streamed.First(streamed => streamed.ThroughRound >= _round).At;
        StreamWaited += _round > 1 && at > _decidedAt ? at - _decidedAt : TimeSpan.Zero;
        return (at, Offered(at > _decidedAt ? at : _decidedAt) ?? new Draft(_round, _position, []));
    }

    private Draft? Offered(DateTimeOffset now)
    {
        foreach (var (_, draft, draftLength) in _offered.Where(offered => offered.At <= now))
        {
            _offers.Add(draft, draftLength);
        }

        _offered.RemoveAll(offered => offered.At <= now);
        return _offers.Take(_round, [.. _prompt, .. Text.AsSpan(0, _position - PromptLength)], out _);
    }

    private void Verify()
    {
        var (at, draft) = NextDraft();
        var start = _position - PromptLength;
        var count = _limits.DraftLength(_position, draft.Tokens.Length);
        var result = Acceptance.Accept(
            draft.Tokens.AsSpan(0, count), _position, _limits, Text, (own, row) => own[start + row]);
        var compute = times.Work(times.VerifyMs + (times.RowMs * count), clock.GetUtcNow()) * (HasDrafted ? times.Beside : 1);
        HasDrafted = false;
        _decidedAt = (at > _decidedAt ? at : _decidedAt) + compute;
        _arrivesAt = _decidedAt + times.OneWay();
        var isLast = result.FinishReason is not null;
        _next.Enqueue(new Verdict(
            _round, result.AcceptedCount, result.NextToken, new(TimeSpan.Zero, compute), isLast)
        {
            AcceptedTokens = draft.Tokens[..result.AcceptedCount],
            DraftLength = draft.Tokens.Length,
        });
        if (isLast)
        {
            _next.Enqueue(new GenerationEnd(FinishReason.Length, new Usage()));
        }

        _decided = new Assumption(_round, result.AcceptedCount, result.NextToken);
        _position += result.AcceptedCount + 1;
        _round++;
    }
}

/// <summary>A drafter whose steps take a scripted time; a branch more in a step costs a part of it.</summary>
internal sealed class TimedDrafter(IDrafter inner, WorldTimes times, FakeTimeProvider clock, double branchCost = 0.2) : IDrafter
{
    private const int Parts = 4;

    /// <summary>A step can be interrupted after each quarter.</summary>
    public bool IsInterruptible { get; init; }

    /// <summary>Branches of each step.</summary>
    public List<int> Steps { get; } = [];

    /// <summary>Called with each step.</summary>
    public Action? Drafted { get; init; }

    public void Begin(GenerationRequest request) => inner.Begin(request);

    public int Propose(ReadOnlySpan<int> history, Span<int> destination) => throw new NotSupportedException();

    public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        Steps.Add(branches.Length);
        Drafted?.Invoke();
        var step = times.DraftMs * (1 + (branchCost * (branches.Length - 1)));
        var isWatched = IsInterruptible && isInterrupted is not null;
        for (var part = 0; isWatched && part < Parts; part++)
        {
            if (isInterrupted!())
            {
                return;
            }

            clock.Advance(times.Work(step / Parts, clock.GetUtcNow()));
        }

        var most = 0;
        foreach (var branch in branches)
        {
            var before = branch.Count;
            inner.Extend(new ReadOnlySpan<DraftBranch>(in branch));
            most = Math.Max(most, branch.Count - before);
        }

        if (!isWatched)
        {
            clock.Advance(times.Work(step * most, clock.GetUtcNow()));
        }
    }
}
