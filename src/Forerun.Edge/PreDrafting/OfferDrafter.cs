using Forerun.Core.Decoding;
using Forerun.Edge.Control;
using Forerun.Inference.Drafting;
using Forerun.Protocol;

namespace Forerun.Edge.PreDrafting;

/// <summary>Drafts beside a stream that waits for nobody: as far ahead of the text that the edge knows as the target is by the time
/// an offer arrives, a draft length further, and once more for the round behind that. One caller at a time. Disposing gives back all
/// memory but the trunk's.</summary>
/// <param name="drafter">Who drafts.</param>
/// <param name="lengthAt">How many of so many tokens may follow an absolute position.</param>
/// <param name="odds">What is known about the target's choices; learns from every comparison.</param>
/// <param name="time">Measures the steps.</param>
internal sealed partial class OfferDrafter(IDrafter drafter, Func<int, int, int> lengthAt, VerdictOdds odds, TimeProvider time)
    : IDisposable
{
    private const int FirstTokens = 2;

    private readonly Smoothed _targetMs = new(prior: 0, priorWeight: 0, memory: 16);
    private readonly List<Draft> _ready = [];
    private Stretch _stretch = new(odds);
    private int _draftLength;
    private int _lag;
    private int _wanted;

    /// <summary>Tokens that the target goes on by from the text that the edge knows until an offer begun now is there, where each
    /// token of it takes a step: lag × target = round trip + (lag + first) × step; 1 … longest draft.</summary>
    /// <param name="targetMs">The target's time for a token; 0 = not known.</param>
    /// <param name="roundTripMs">A message and its answer.</param>
    /// <param name="stepMs">A step of the drafter.</param>
    public static int Lag(double targetMs, double roundTripMs, double stepMs)
    {
        if (targetMs == 0)
        {
            return 1;
        }

        var gained = targetMs - stepMs;
        return gained <= 0
            ? ProtocolConstants.MaxDraftLength
            : (int)Math.Clamp(Math.Ceiling((roundTripMs + (FirstTokens * stepMs)) / gained), 1, ProtocolConstants.MaxDraftLength);
    }

    /// <summary>A streamed round begins.</summary>
    /// <param name="trunk">The known text, and perhaps tokens drafted behind it.</param>
    /// <param name="draftLength">Most tokens that the target verifies at once.</param>
    /// <param name="roundTrip">A message and its answer.</param>
    public void Begin(DraftBranch trunk, int draftLength, TimeSpan roundTrip)
    {
        if (_lines.Count == 0 || _lines[0].Branch != trunk || _lines[0].Start != trunk.ContextLength)
        {
            Follow(trunk);
        }

        _draftLength = draftLength;
        _lag = Lag(_targetMs.Value, roundTrip.TotalMilliseconds, _stepTimes.LatelyMs);
        _wanted = lengthAt(trunk.ContextLength, Math.Min(ProtocolConstants.MaxDraftLength, _lag + draftLength + 1 + draftLength));
    }

    /// <summary>Whether there is anything to offer now.</summary>
    public bool IsReady => _lines.Exists(IsWorthOffering);

    /// <summary>What to offer now.</summary>
    /// <param name="round">The round that is waited for.</param>
    public IReadOnlyList<Draft> TakeReady(int round)
    {
        _ready.Clear();
        foreach (var line in _lines)
        {
            if (IsWorthOffering(line))
            {
                line.Offered = line.Count;
                _ready.Add(new Draft(round, line.Start, [.. line.Tokens]));
            }
        }

        return _ready;
    }

    /// <summary>Takes in what the target said: keeps the lines that agree with it.</summary>
    /// <param name="trunk">The branch of the likeliest line; becomes that of the next round.</param>
    /// <param name="verdict">The verdict.</param>
    /// <param name="output">Its output tokens.</param>
    /// <returns>How the drafter's own line fared since it was begun, once it is known where it ends, or that it went well for as long as
    /// a draft can be; else null.</returns>
    public RehearsedDraft? Accept(ref DraftBranch trunk, Verdict verdict, ReadOnlySpan<int> output)
    {
        if (verdict.DraftLength == 0)
        {
            _targetMs.Add(verdict.Timings.Total.TotalMilliseconds);
        }

        var rehearsed = Compare(output);
        KeepAgreeing(output);
        trunk = _lines[0].Branch;
        return rehearsed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = _lines.Count - 1; i > 0; i--)
        {
            Drop(i);
        }

        _lines.Clear();
    }

    private void Follow(DraftBranch trunk)
    {
        Dispose();
        var own = new DraftLine();
        own.Begin(trunk, odds);
        _lines.Add(own);
        _stretch = new(odds);
    }

    /// <summary>A line is offered as soon as a little of it will be left when it comes, and again when it is whole, as soon as what was
    /// offered of it will not be enough.</summary>
    private bool IsWorthOffering(DraftLine line)
    {
        if (line.Count <= Math.Max(_lag, line.Offered) || line.ChanceOf(_lag + 1) < MinChance)
        {
            return false;
        }

        var (isWhole, left) = (!CanGrow(line), line.Offered - _lag);
        return left <= 0
            ? isWhole || line.Count >= _lag + FirstTokens
            : isWhole && left <= _draftLength + (_draftLength / 2);
    }

    /// <summary>The first line is the drafter's own: what it would have said, and what the target did.</summary>
    private RehearsedDraft? Compare(ReadOnlySpan<int> output)
    {
        var line = _lines[0];
        var agreed = line.Tokens.CommonPrefixLength(output);
        for (var i = 0; i < line.Count && i <= agreed && i < output.Length; i++)
        {
            _stretch.Compare(line.ChanceAt(i));
            if (i >= line.TakenOver)
            {
                odds.Learn(line.Branch[i - line.TakenOver], output[i]);
            }
        }

        var isRejected = agreed < output.Length;
        if (!isRejected && _stretch.Compared < ProtocolConstants.MaxDraftLength)
        {
            return null;
        }

        RehearsedDraft? rehearsed = !isRejected || agreed < line.Count
            ? new(
                _stretch.Compared, _stretch.Compared - (isRejected ? 1 : 0), _stretch.DraftLength, IsEnded: false,
                TimeSpan.FromMilliseconds(_stepTimes.FirstMs))
            : null;
        _stretch = new(odds);
        return rehearsed;
    }

    /// <summary>The drafter's own line since it began, over rounds.</summary>
    private struct Stretch(VerdictOdds odds)
    {
        private double _acceptance = 1;

        /// <summary>Tokens compared with what the target said: all that agree, and the first that does not.</summary>
        public int Compared { get; private set; }

        /// <summary>Of these, those that a draft to be verified would have had.</summary>
        public int DraftLength { get; private set; }

        /// <summary>Compares a token.</summary>
        /// <param name="chance">The chance that it had.</param>
        public void Compare(double chance)
        {
            _acceptance *= chance;
            if (DraftLength == Compared && !odds.EndsBefore(DraftLength, _acceptance))
            {
                DraftLength++;
            }

            Compared++;
        }
    }
}
