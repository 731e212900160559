using Forerun.Edge.PreDrafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

public class CoreRoomTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 60)]
    [InlineData(true, 61)]
    [InlineData(false, 10, 10, 10, 10, 10, 10, 10)]
    [InlineData(true, 11, 11, 11, 11, 11, 11, 11)]
    [InlineData(true, 30, 10, 33)]
    [InlineData(true, 0, 300, 200, 0)]
    public void Start_LateByMoreThanSixtyMs_MeansThatTheCoreIsCrowded(bool isCrowded, params int[] delaysMs)
    {
        var room = new CoreRoom(_time);
        Array.ForEach(delaysMs, delay => Start(room, delay));
        Assert.Equal(isCrowded, room.IsCrowded);
    }

    [Theory]
    [InlineData(false, 1, 61)]
    [InlineData(true, 1, 62)]
    [InlineData(true, 1, 34, 1, 34)]
    [InlineData(false, 75, 140, 75, 140)]
    [InlineData(true, 75, 160)]
    [InlineData(false, 160, 75, 75)]
    public void EndStep_SixtyMsLongerThanUsual_MeansThatTheCoreIsCrowded(bool isCrowded, params int[] stepsMs)
    {
        var room = new CoreRoom(_time);
        foreach (var step in stepsMs)
        {
            var begun = _time.GetTimestamp();
            _time.Advance(TimeSpan.FromMilliseconds(step));
            room.EndStep(begun);
        }

        Assert.Equal(isCrowded, room.IsCrowded);
    }

    [Theory]
    [InlineData(false, 1000, 35, 12)]
    [InlineData(false, 500, 25)]
    [InlineData(true, 400, 25)]
    public void IsCrowded_HiccupsThatTakeLessThanATwentieth_AreNone(bool isCrowded, int periodMs, params int[] hiccupsMs)
    {
        var room = new CoreRoom(_time);
        var wasCrowded = false;
        for (var i = 0; i < 100; i++)
        {
            Array.ForEach(hiccupsMs, hiccup => Start(room, hiccup));
            wasCrowded |= room.IsCrowded;
            _time.Advance(TimeSpan.FromMilliseconds(periodMs - hiccupsMs.Sum()));
        }

        Assert.Equal(isCrowded, wasCrowded);
    }

    [Fact]
    public void IsCrowded_AfterASecond_TriesAgain()
    {
        var room = new CoreRoom(_time);
        Crowd(room);
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.True(room.IsCrowded);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(room.IsCrowded);
        Start(room, 0);
        Assert.False(room.IsCrowded);
    }

    [Fact]
    public void IsCrowded_ACrowdThatIsBackSoon_IsRememberedTwiceAsLongUpToSixteenSeconds()
    {
        var room = new CoreRoom(_time);
        Assert.Equal([1, 2, 4, 8, 16, 16], Enumerable.Range(0, 6).Select(_ => CrowdedSeconds(room)));
        _time.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(1, CrowdedSeconds(room));
    }

    private int CrowdedSeconds(CoreRoom room)
    {
        Crowd(room);
        var begun = _time.GetTimestamp();
        while (room.IsCrowded)
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
        }

        return (int)Math.Round(_time.GetElapsedTime(begun).TotalSeconds);
    }

    private void Crowd(CoreRoom room)
    {
        Start(room, 40);
        Start(room, 40);
    }

    private void Start(CoreRoom room, int delayMs)
    {
        var asked = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(delayMs));
        room.Start(asked);
    }
}
