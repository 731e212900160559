using Forerun.Core.Decoding;
using Forerun.Edge.Control;
using Forerun.Inference.Drafting;

namespace Forerun.Edge.PreDrafting;

/// <summary>Drafts ahead while the target verifies: for the likeliest verdicts, one token per step for several of them at
/// once. One caller at a time.</summary>
/// <param name="drafter">Who drafts.</param>
/// <param name="draftLengthAt">Most tokens of a draft at an absolute position.</param>
/// <param name="odds">What is known about the target's verdicts; kept over generations.</param>
/// <param name="options">How much.</param>
/// <param name="time">Measures the steps.</param>
internal sealed partial class PreDrafter(
    IDrafter drafter, Func<int, int> draftLengthAt, VerdictOdds odds, PreDraftOptions options, TimeProvider time)
    : IDisposable
{
    private const double MostStepGrowth = 1.5;

    private readonly GuessQueue _queue = new();
    private readonly TimesByRows _stepTimes = new(IDrafter.MaxBranches);
    private readonly Stack<DraftBranch> _unused = new();
    private readonly DraftBranch[] _batch = new DraftBranch[IDrafter.MaxBranches];
    private DraftBranch _trunk = new();
    private Draft _draft = new(0, 0, []);
    private PreDraftStatistics _round = PreDraftStatistics.None;
    private double _fullAcceptance;
    private int _batchSize;
    private int _maxSent;

    /// <summary>Whether what is sent ahead brings what its tokens were drawn from.</summary>
    public bool NeedsDraftProbs { get; init; }

    /// <summary>A round's draft was sent: expects what the drafter alone makes likely.</summary>
    /// <param name="draft">The draft.</param>
    /// <param name="trunk">The branch it came from; it is drafted on by one token.</param>
    /// <param name="sendsAhead">Whether finished drafts are sent before the verdict.</param>
    public void Begin(Draft draft, DraftBranch trunk, bool sendsAhead)
    {
        _maxSent = sendsAhead ? options.MaxSent : 0;
        _batchSize = AffordableBatch();
        (_draft, _trunk, _round) = (draft, trunk, PreDraftStatistics.None);
        _queue.Clear();
        _fullAcceptance = 1;
        for (var i = 0; i < draft.Tokens.Length; i++)
        {
            var token = trunk[i];
            ExpectAlternatives(i, token, VerdictPredictor.Alternative);
            _fullAcceptance *= odds.First(token);
        }
    }

    /// <summary>Takes in an exit's announcement; it is a hint, so one that does not fit the round is dropped.</summary>
    public void Announce(Announcement announcement)
    {
        var (k, t) = (announcement.AcceptedCount, announcement.NextToken);
        if (announcement.Round == _draft.Round && k <= _draft.Tokens.Length && IsUseful(k, t)
            && (k == _draft.Tokens.Length || t != _draft.Tokens[k]))
        {
            _queue.Announce(announcement);
        }
    }

    /// <summary>Drafts one token more for the likeliest verdicts.</summary>
    /// <param name="isInterrupted">Ends the step early: its tokens are lost, and may be drafted again.</param>
    /// <returns>False when there is nothing left to draft, or the budget is spent.</returns>
    public bool Step(Func<bool>? isInterrupted = null)
    {
        var size = FillBatch();
        if (size == 0)
        {
            return false;
        }

        var started = time.GetTimestamp();
        var before = CountTokens(size);
        drafter.Extend(_batch.AsSpan(0, size), isInterrupted);
        var elapsed = time.GetElapsedTime(started);
        if (isInterrupted?.Invoke() != true)
        {
            _stepTimes.Learn(size, elapsed.TotalMilliseconds);
        }

        _round = _round with
        {
            Tokens = _round.Tokens + CountTokens(size) - before,
            HiddenTime = _round.HiddenTime + elapsed,
        };
        if (_batch[0] == _trunk && _trunk.Count > _draft.Tokens.Length)
        {
            ExpectFullAcceptance();
        }

        return true;
    }

    /// <summary>The likeliest finished draft that is worth sending ahead; null = none now. It counts as sent.</summary>
    public Draft? NextToSend()
    {
        if (_round.SentDrafts == _maxSent)
        {
            return null;
        }

        Guess? best = null;
        foreach (var guess in _queue.Guesses)
        {
            if (guess is { Sent: null, Branch: { IsComplete: true, Count: > 0 } }
                && _queue.ChanceOf(guess) >= options.MinSentChance && IsLikelier(guess, best))
            {
                best = guess;
            }
        }

        if (best is null)
        {
            return null;
        }

        _round = _round with { SentDrafts = _round.SentDrafts + 1 };
        return best.Sent = new Draft(
            _draft.Round + 1,
            best.Branch!.ContextLength,
            [.. best.Branch.Drafted],
            new Assumption(_draft.Round, best.AcceptedCount, best.NextToken))
        {
            DraftProbs = NeedsDraftProbs ? best.Branch.DraftProbs : [],
        };
    }

    /// <summary>The round has its verdict: goes on with what was drafted for it, and drops everything else.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="trunk">The branch of the round; becomes that of the next one.</param>
    /// <param name="sent">The draft of the next round where it was sent ahead, else null.</param>
    public PreDraftStatistics Decide(Verdict verdict, ref DraftBranch trunk, out Draft? sent)
    {
        var (k, t) = (verdict.AcceptedCount, verdict.NextToken);
        var guess = verdict.IsLast ? null : _queue.Find(k, t);
        var hit = guess?.Branch is { Count: > 0 } branch ? branch : null;
        sent = hit is null ? null : guess!.Sent;
        Learn(verdict);
        CountHit(verdict, guess, hit);
        if (hit is null)
        {
            trunk.Advance(k, t, draftLengthAt(trunk.ContextLength + k + 1));
        }
        else
        {
            Recycle(trunk);
            trunk = hit;
            guess!.Branch = null;
        }

        DropBranches();
        return _round;
    }

    /// <inheritdoc/>
    public void Dispose() => DropBranches();

    private void Expect(int acceptedCount, int nextToken, VerdictPredictor predictor, double chance)
    {
        if (chance >= options.MinChance && IsUseful(acceptedCount, nextToken))
        {
            _queue.Add(acceptedCount, nextToken, predictor, chance);
        }
    }

    private void ExpectFullAcceptance()
    {
        var count = _draft.Tokens.Length;
        var next = _trunk[count];
        Expect(count, next.Token, VerdictPredictor.FullAcceptance, _fullAcceptance * odds.First(next));
        ExpectAlternatives(count, next, VerdictPredictor.FullAcceptance);
    }

    private void ExpectAlternatives(int acceptedCount, DraftedToken token, VerdictPredictor predictor)
    {
        for (var rank = 0; rank < token.Alternatives.Count; rank++)
        {
            Expect(acceptedCount, token.Alternatives[rank], predictor, _fullAcceptance * odds.Alternative(token, rank));
        }
    }

    /// <summary>Whether anything can be drafted behind such a verdict.</summary>
    private bool IsUseful(int acceptedCount, int nextToken) =>
        nextToken >= 0 && drafter.CanFollow(nextToken) && LengthAfter(acceptedCount) > 0;

    private int LengthAfter(int acceptedCount) => draftLengthAt(_trunk.ContextLength + acceptedCount + 1);

    /// <summary>Tokens drafted ahead in the batch; the trunk's own is a guess at a next token, not a draft token.
    /// </summary>
    private int CountTokens(int size)
    {
        var count = 0;
        foreach (var branch in _batch.AsSpan(0, size))
        {
            count += branch == _trunk ? 0 : branch.Count;
        }

        return count;
    }

    private void Learn(Verdict verdict)
    {
        // The last verdict may cut an accepted token short: it says nothing about the drafter.
        for (var i = 0; i <= verdict.AcceptedCount && i < _trunk.Count && !verdict.IsLast; i++)
        {
            odds.Learn(_trunk[i], i < verdict.AcceptedCount ? _trunk[i].Token : verdict.NextToken);
        }
    }

    private void CountHit(Verdict verdict, Guess? guess, DraftBranch? hit)
    {
        _round = _round with
        {
            Rounds = verdict.IsLast ? 0 : 1,
            WastedTokens = _round.Tokens - (hit?.Count ?? 0),
            FinishedHits = hit is { IsComplete: true } ? 1 : 0,
            SentHits = hit is not null && guess!.Sent is not null ? 1 : 0,
            FullAcceptanceHits = Count(VerdictPredictor.FullAcceptance),
            AlternativeHits = Count(VerdictPredictor.Alternative),
            AnnouncementHits = Count(VerdictPredictor.Announcement),
        };

        int Count(VerdictPredictor predictor) => hit is not null && guess!.Predictor == predictor ? 1 : 0;
    }
}
