using Forerun.Core.Decoding;
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
    // What a token costs in a draft that is sent before the verdict, as a part of what it costs in one that nothing hides: its step costs
    // nothing where the verdict is as foreseen.
    private const double SentAheadCost = 0.5;

    private readonly StepTimes _stepTimes = new();
    private readonly Stack<PreDraft> _unused = new();
    private readonly PreDraft[] _batch = new PreDraft[IDrafter.MaxBranches];
    private readonly DraftBranch[] _branches = new DraftBranch[IDrafter.MaxBranches];
    private readonly List<Draft> _ready = [];
    private PreDraft _current = new();
    private Draft _draft = new(0, 0, []);
    private PreDraftStatistics _statistics = PreDraftStatistics.None;
    private int _maxSent;

    /// <summary>Whether what is sent ahead brings what its tokens were drawn from.</summary>
    public bool NeedsDraftProbs { get; init; }

    /// <summary>A round's draft was sent: expects what the drafter alone makes likely, and keeps what was drafted ahead for it.</summary>
    /// <param name="draft">The draft.</param>
    /// <param name="trunk">The branch it came from, the one that <see cref="Decide"/> gave where the round before was drafted ahead
    /// of; it is drafted on by one token.</param>
    /// <param name="sendsAhead">Whether finished drafts are sent before the verdict.</param>
    public void Begin(Draft draft, DraftBranch trunk, bool sendsAhead)
    {
        _maxSent = sendsAhead ? options.MaxSent : 0;
        if (_current.Branch != trunk)
        {
            Clear();
        }

        _draft = draft;
        (_current.Branch, _current.Length) = (trunk, draft.Tokens.Length);
        DropImpossible();
        Expect(_current, chance: 1);
    }

    /// <summary>Drops everything: the next round is not drafted ahead of.</summary>
    public void Clear() => DropGuesses(_current);

    /// <summary>Takes in an exit's announcement; it is a hint, so one that does not fit the round is dropped.</summary>
    public void Announce(Announcement announcement)
    {
        var (k, t) = (announcement.AcceptedCount, announcement.NextToken);
        if (announcement.Round == _draft.Round && IsPossible(k, t) && IsUseful(_current, k, t))
        {
            _current.Guesses.Announce(announcement);
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

        for (var i = 0; i < size; i++)
        {
            _branches[i] = _batch[i].Branch;
        }

        var started = time.GetTimestamp();
        var before = CountTokens(size);
        drafter.Extend(_branches.AsSpan(0, size), isInterrupted);
        var elapsed = time.GetElapsedTime(started);
        _stepTimes.Learn(size, elapsed, isWhole: isInterrupted?.Invoke() != true);
        _statistics = _statistics with
        {
            Tokens = _statistics.Tokens + CountTokens(size) - before,
            HiddenTime = _statistics.HiddenTime + elapsed,
        };
        Expect(_current, chance: 1);
        return true;
    }

    /// <summary>Finished drafts that are worth sending ahead now, the likeliest first. They count as sent.</summary>
    public IReadOnlyList<Draft> TakeReady()
    {
        _ready.Clear();
        while (_statistics.SentDrafts < _maxSent && LikeliestReady() is { } guess)
        {
            var draft = guess.PreDraft!;
            guess.Sent = draft.Branch.ToDraft(
                _draft.Round + 1, draft.Length, NeedsDraftProbs, new Assumption(_draft.Round, guess.AcceptedCount, guess.NextToken));
            _ready.Add(guess.Sent);
            _statistics = _statistics with { SentDrafts = _statistics.SentDrafts + 1 };
        }

        return _ready;
    }

    /// <summary>The draft of the round that has not begun, which was drafted ahead, has fewer tokens than it could have had.</summary>
    public bool EndsEarly => _current.EndsEarly;

    /// <summary>Whether a finished draft is worth sending ahead now.</summary>
    public bool IsReady => _statistics.SentDrafts < _maxSent && LikeliestReady() is not null;

    /// <summary>The round has its verdict: goes on with what was drafted for it, and drops everything else.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="trunk">The branch of the round; becomes that of the next one.</param>
    /// <param name="sent">The draft of the next round where it was sent ahead, else null.</param>
    public PreDraftStatistics Decide(Verdict verdict, ref DraftBranch trunk, out Draft? sent)
    {
        var (k, t) = (verdict.AcceptedCount, verdict.NextToken);
        odds.Learn(_current.Branch, verdict);
        var guess = verdict.IsLast ? null : _current.Guesses.Find(k, t);
        var hit = guess?.PreDraft is { Count: > 0 } ? guess : null;
        CountHit(verdict, hit);
        sent = hit?.Sent;
        if (hit is null)
        {
            Clear();
            trunk.Advance(k, t, LengthAfter(_current, k));
        }
        else
        {
            var next = hit.PreDraft!;
            hit.PreDraft = null;
            Recycle(_current);
            (_current, trunk) = (next, next.Branch);
            _current.ReadAgain();
        }

        var statistics = _statistics;
        _statistics = PreDraftStatistics.None;
        return statistics;
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    /// <summary>Guesses verdicts from all tokens that are new, of a draft and of those behind its verdicts.</summary>
    /// <param name="draft">The draft.</param>
    /// <param name="chance">The chance that it is needed.</param>
    private void Expect(PreDraft draft, double chance)
    {
        while (draft.GuessedFrom < draft.Branch.Count && draft.GuessedFrom <= draft.Length)
        {
            var token = draft.Branch[draft.GuessedFrom];
            if (draft != _current && draft.GuessedFrom < draft.Length && odds.EndsBefore(token, draft.GuessedFrom, draft.Acceptance, TokenCost))
            {
                draft.End();
            }

            ExpectInsteadOf(draft, token, chance * draft.Acceptance);
            draft.Read(odds.First(token));
        }

        foreach (var guess in draft.Guesses.Guesses)
        {
            if (guess.PreDraft is { } next)
            {
                Expect(next, chance * draft.Guesses.ChanceOf(guess));
            }
        }
    }

    /// <summary>Guesses the verdicts that end at a drafted token: the target chooses another one there, or, behind the draft, this one
    /// or another.</summary>
    private void ExpectInsteadOf(PreDraft draft, DraftedToken token, double chance)
    {
        var k = draft.GuessedFrom;
        var predictor = k == draft.Length ? VerdictPredictor.FullAcceptance : VerdictPredictor.Alternative;
        if (k == draft.Length)
        {
            Add(token.Token, odds.First(token));
        }

        for (var rank = 0; rank < token.Alternatives.Count; rank++)
        {
            Add(token.Alternatives[rank], odds.Alternative(token, rank));
        }

        void Add(int nextToken, double share)
        {
            if (chance * share >= options.MinChance && IsUseful(draft, k, nextToken))
            {
                draft.Guesses.Add(k, nextToken, predictor, draft.Acceptance * share);
            }
        }
    }

    private Guess? LikeliestReady()
    {
        Guess? likeliest = null;
        var most = Math.BitDecrement(options.MinSentChance);
        foreach (var guess in _current.Guesses.Guesses)
        {
            if (guess is { Sent: null, PreDraft: { IsComplete: true, Count: > 0 } } && _current.Guesses.ChanceOf(guess) > most)
            {
                (likeliest, most) = (guess, _current.Guesses.ChanceOf(guess));
            }
        }

        return likeliest;
    }

    private double TokenCost => _maxSent > 0 ? SentAheadCost : 1;

    /// <summary>Whether the round's draft can have such a verdict.</summary>
    private bool IsPossible(int acceptedCount, int nextToken) => acceptedCount == _draft.Tokens.Length
        || (acceptedCount < _draft.Tokens.Length && _draft.Tokens[acceptedCount] != nextToken);

    /// <summary>Whether anything can be drafted behind such a verdict.</summary>
    private bool IsUseful(PreDraft draft, int acceptedCount, int nextToken) =>
        nextToken >= 0 && drafter.CanFollow(nextToken) && LengthAfter(draft, acceptedCount) > 0;

    private int LengthAfter(PreDraft draft, int acceptedCount) =>
        draftLengthAt(draft.Branch.ContextLength + acceptedCount + 1);

    /// <summary>Tokens drafted ahead in the batch; one behind a draft is a guess at a next token, not a draft token.</summary>
    private int CountTokens(int size)
    {
        var count = 0;
        foreach (var draft in _batch.AsSpan(0, size))
        {
            count += draft.Count;
        }

        return count;
    }

    private void CountHit(Verdict verdict, Guess? hit)
    {
        _statistics = _statistics with
        {
            Rounds = verdict.IsLast ? 0 : 1,
            FinishedHits = hit is { PreDraft.IsComplete: true } ? 1 : 0,
            SentHits = hit is { Sent: not null } ? 1 : 0,
            FullAcceptanceHits = Count(VerdictPredictor.FullAcceptance),
            AlternativeHits = Count(VerdictPredictor.Alternative),
            AnnouncementHits = Count(VerdictPredictor.Announcement),
        };

        int Count(VerdictPredictor predictor) => hit?.Predictor == predictor ? 1 : 0;
    }
}
