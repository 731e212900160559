using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

/// <summary>Explorations are paid for before, and count once they take effect.</summary>
public class ExplorationTests
{
    private static readonly DecodingChoice Pipelined = new(DecodingMode.Pipelined, 4);

    private static readonly LatencyEstimates Estimates = new()
    {
        DraftMs = 1,
        VerifyMs = [.. Enumerable.Repeat(10.0, 17)],
        RoundTripMs = 100,
        Acceptance = [.. new double[16]],
        HitRate = [.. new double[17]],
        SentHitRate = [.. new double[17]],
    };

    [Fact]
    public void Next_FromAStream_WaitsUntilTheBreakIsPaidFor()
    {
        var exploration = new Exploration(new Random(1));
        var streamed = 0;
        while (exploration.Choice is null)
        {
            exploration.Learn(Round(DecodingChoice.Streaming, ms: 10));
            streamed++;
            Next(exploration);
        }

        // A round trip and four rounds that take a millisecond longer: 104 ms, of which a round saves 0.075.
        Assert.InRange(streamed, 1387, 1387 + 500);
        Assert.Equal(Pipelined, exploration.Choice);
    }

    [Fact]
    public void Learn_WhatWasGrantedToTheStream_DoesNotCount()
    {
        var exploration = new Exploration(new Random(1));
        exploration.Learn(Round(DecodingChoice.Streaming, ms: 100_000));
        while (exploration.Choice is null)
        {
            Next(exploration);
        }

        for (var i = 0; i < 20; i++)
        {
            exploration.Learn(Round(DecodingChoice.Streaming, ms: 10));
        }

        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(Pipelined, exploration.Choice);
            exploration.Learn(Round(Pipelined, ms: 10));
        }

        Assert.Null(exploration.Choice);
    }

    [Fact]
    public void Next_OffersThatCannotBeInTime_AreNotTried()
    {
        var exploration = new Exploration(new Random(1));
        exploration.Learn(Round(DecodingChoice.Streaming, ms: 100_000));
        for (var i = 0; i < 2_000; i++)
        {
            exploration.Next(
                new(DecodingChoice.Streaming, 10), [new(DecodingChoice.Streaming, 10), new(new(DecodingMode.Asynchronous, 4), 10)], Estimates);
        }

        Assert.Null(exploration.Choice);
    }

    private static void Next(Exploration exploration) => exploration.Next(
        new(DecodingChoice.Streaming, 10), [new(DecodingChoice.Streaming, 10), new(Pipelined, 11)], Estimates);

    private static DecodedRound Round(DecodingChoice choice, double ms) => new()
    {
        Round = 2,
        Choice = choice,
        Tokens = [1],
        WaitTime = TimeSpan.FromMilliseconds(ms),
    };
}
