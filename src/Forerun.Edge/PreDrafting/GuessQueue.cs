using Forerun.Core.Decoding;

namespace Forerun.Edge.PreDrafting;

/// <summary>The verdicts that a round may have, each with its chance, whoever expects it. One caller at a time.</summary>
/// <remarks>An announcement's confidence is the chance of its verdict, and what is left is shared by the others as they
/// had it before. Only the deepest exit counts; what earlier exits announced keeps their confidence as its chance among
/// the others.</remarks>
internal sealed class GuessQueue
{
    // The drafter has at most 188 guesses; the rest is for exits, which are not to be trusted.
    private const int MaxGuesses = 256;

    private readonly List<Guess> _guesses = [];
    private Guess? _announced;
    private double _confidence;
    private int _exitLayer;

    /// <summary>All guesses, in the order they came.</summary>
    public IReadOnlyList<Guess> Guesses => _guesses;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _guesses.Clear();
        _announced = null;
        _confidence = 0;
        _exitLayer = 0;
    }

    /// <summary>Removes a guess that nobody announced.</summary>
    public void RemoveAt(int index) => _guesses.RemoveAt(index);

    /// <summary>Adds a guess of the drafter's, or raises the chance of one that is there.</summary>
    public void Add(int acceptedCount, int nextToken, VerdictPredictor predictor, double chance)
    {
        var guess = FindOrAdd(acceptedCount, nextToken);
        if (chance > guess.Chance)
        {
            guess.Chance = chance;
            guess.Predictor = guess.PreDraft is null && guess != _announced ? predictor : guess.Predictor;
        }
    }

    /// <summary>Takes in an announcement; one that is not from a deeper exit than the last is dropped.</summary>
    public void Announce(Announcement announcement)
    {
        if (announcement.ExitLayer <= _exitLayer || _guesses.Count == MaxGuesses)
        {
            return;
        }

        if (_announced is not null)
        {
            _announced.Chance = Math.Max(_announced.Chance, _confidence);
        }

        var guess = FindOrAdd(announcement.AcceptedCount, announcement.NextToken);
        var confidence = float.IsNaN(announcement.Confidence) ? 0 : Math.Clamp(announcement.Confidence, 0, 1);
        if (guess.PreDraft is null && confidence > ChanceOf(guess))
        {
            guess.Predictor = VerdictPredictor.Announcement;
        }

        (_announced, _confidence, _exitLayer) = (guess, confidence, announcement.ExitLayer);
    }

    /// <summary>A guess's chance.</summary>
    public double ChanceOf(Guess guess) =>
        guess == _announced ? Math.Max(_confidence, guess.Chance) : (1 - _confidence) * guess.Chance;

    /// <summary>The guess of a verdict; null = nobody expected it.</summary>
    public Guess? Find(int acceptedCount, int nextToken)
    {
        foreach (var guess in _guesses)
        {
            if (guess.AcceptedCount == acceptedCount && guess.NextToken == nextToken)
            {
                return guess;
            }
        }

        return null;
    }

    private Guess FindOrAdd(int acceptedCount, int nextToken)
    {
        if (Find(acceptedCount, nextToken) is { } known)
        {
            return known;
        }

        var guess = new Guess(acceptedCount, nextToken);
        _guesses.Add(guess);
        return guess;
    }
}
