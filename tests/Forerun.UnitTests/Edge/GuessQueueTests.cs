using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.PreDrafting;

namespace Forerun.UnitTests.Edge;

public class GuessQueueTests
{
    private readonly GuessQueue _queue = new();

    [Fact]
    public void Add_SameVerdictTwice_KeepsTheBetterChance()
    {
        _queue.Add(1, 7, VerdictPredictor.Alternative, 0.2);
        _queue.Add(1, 7, VerdictPredictor.FullAcceptance, 0.1);
        var guess = Assert.Single(_queue.Guesses);
        Assert.Equal((0.2, VerdictPredictor.Alternative), (_queue.ChanceOf(guess), guess.Predictor));
    }

    [Fact]
    public void Announce_IsAsLikelyAsItsConfidence_AndLeavesTheRestToTheOthers()
    {
        _queue.Add(2, 9, VerdictPredictor.FullAcceptance, 0.5);
        _queue.Announce(new(1, 4, 1, 7, 0.75f));
        Assert.Equal(0.125, Chance(2, 9), 6);
        Assert.Equal(0.75, Chance(1, 7), 6);
        Assert.Equal(VerdictPredictor.Announcement, _queue.Find(1, 7)!.Predictor);
    }

    [Fact]
    public void Announce_OnlyADeeperExitReplacesIt()
    {
        _queue.Announce(new(1, 8, 1, 7, 0.5f));
        _queue.Announce(new(1, 4, 0, 3, 0.9f));
        _queue.Announce(new(1, 8, 0, 3, 0.9f));
        Assert.Null(_queue.Find(0, 3));
        _queue.Announce(new(1, 12, 0, 4, 0.75f));
        Assert.Equal(0.75, Chance(0, 4), 6);
        Assert.Equal(0.25 * 0.5, Chance(1, 7), 6);
    }

    [Fact]
    public void Announce_ConfidenceOutOfRange_IsClamped()
    {
        _queue.Announce(new(1, 1, 0, 1, float.NaN));
        Assert.Equal(0, Chance(0, 1));
        _queue.Announce(new(1, 2, 0, 1, 7f));
        Assert.Equal(1, Chance(0, 1));
    }

    [Fact]
    public void Announce_EndlessExits_AreBounded()
    {
        for (var layer = 1; layer < 1000; layer++)
        {
            _queue.Announce(new(1, layer, 0, layer, 0.5f));
        }

        Assert.Equal(256, _queue.Guesses.Count);
    }

    [Fact]
    public void Announce_WhatTheDrafterExpectsMore_StaysTheDraftersGuess()
    {
        _queue.Add(2, 9, VerdictPredictor.FullAcceptance, 0.6);
        _queue.Announce(new(1, 4, 2, 9, 0.5f));
        Assert.Equal((0.6, VerdictPredictor.FullAcceptance), (Chance(2, 9), _queue.Find(2, 9)!.Predictor));
    }

    [Fact]
    public void Options_OutOfRange_SayWhatIsExpected()
    {
        var exception = Assert.Throws<ArgumentOutOfRangeException>(() => new EdgeDecoder(
            new ScriptedVerifier(), options: new() { PreDrafts = new() { BatchSize = 17 } }));
        Assert.StartsWith("The option is out of range: expected 1 to 16. (Parameter 'BatchSize')", exception.Message,
            StringComparison.Ordinal);
        foreach (var options in new PreDraftOptions[]
        {
            new() { MaxBranches = 0 }, new() { MaxTokens = -1 }, new() { MinChance = double.NaN },
            new() { MaxSent = 17 }, new() { MinSentChance = 1.5 },
        })
        {
            Assert.Throws<ArgumentOutOfRangeException>(
                () => new EdgeDecoder(new ScriptedVerifier(), options: new() { PreDrafts = options }));
        }
    }

    private double Chance(int acceptedCount, int nextToken) =>
        _queue.ChanceOf(_queue.Find(acceptedCount, nextToken)!);
}
