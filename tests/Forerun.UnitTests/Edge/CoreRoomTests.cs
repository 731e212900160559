using Forerun.Edge.PreDrafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

public class CoreRoomTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 900)]
    [InlineData(false, 10, 10, 10)]
    [InlineData(false, 11, 10, 10, 1500)]
    [InlineData(true, 11, 11)]
    [InlineData(true, 11, 10, 11)]
    [InlineData(true, 0, 300, 200, 0)]
    public void Start_LateTwiceInASecond_MeansThatTheCoreIsCrowded(bool isCrowded, params int[] delaysMs)
    {
        var room = new CoreRoom(_time);
        Array.ForEach(delaysMs, delay => Start(room, delay));
        Assert.Equal(isCrowded, room.IsCrowded);
    }

    [Theory]
    [InlineData(false, 1, 11, 11)]
    [InlineData(true, 1, 12, 1, 12)]
    [InlineData(false, 75, 140, 75, 140)]
    [InlineData(true, 75, 160, 75, 160)]
    [InlineData(false, 160, 75, 75)]
    public void EndStep_FarLongerThanUsualTwiceInASecond_MeansThatTheCoreIsCrowded(bool isCrowded, params int[] stepsMs)
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
        Start(room, 20);
        Start(room, 20);
    }

    private void Start(CoreRoom room, int delayMs)
    {
        var asked = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(delayMs));
        room.Start(asked);
    }
}
