using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Control;

namespace Forerun.UnitTests.Edge.Control;

public class OnlineEstimatesTests
{
    private readonly MeasuredTimes _times = new(maxDraftLength: 16);
    private readonly OnlineEstimates _estimates;

    public OnlineEstimatesTests() => _estimates = new(_times, maxDraftLength: 16);

    /// <summary>How far offers keep their promise depends on times; only the promise depends on the text.</summary>
    [Fact]
    public void OfferYield_AnotherText_IsKept()
    {
        Offer(rounds: 100, accepted: 1);
        var before = _estimates.Current.OfferYield;
        _estimates.BeginText();
        Offer(rounds: 8, accepted: 4);
        Assert.InRange(_estimates.Current.OfferYield, before, before * 1.4);
    }

    private void Offer(int rounds, int accepted)
    {
        for (var i = 0; i < rounds; i++)
        {
            var round = new DecodedRound
            {
                Round = 2 + i,
                Tokens = [.. new int[accepted + 1]],
                Choice = new(DecodingMode.Asynchronous, 4),
                DraftLength = 4,
                AcceptedCount = accepted,
                ServerTimings = new(TimeSpan.Zero, TimeSpan.FromMilliseconds(10)),
            };
            _times.Learn(round);
            _estimates.Learn(round, _estimates.Current);
        }
    }
}
