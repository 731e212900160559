using Forerun.Edge.PreDrafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

public class CoreRoomTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 300)]
    [InlineData(false, 10, 10, 10)]
    [InlineData(false, 11, 10, 11)]
    [InlineData(true, 11, 11)]
    [InlineData(true, 0, 300, 200, 0)]
    public void Start_LateTwiceInARow_MeansThatTheCoreIsCrowded(bool isCrowded, params int[] delaysMs)
    {
        var room = new CoreRoom(_time);
        Array.ForEach(delaysMs, delay => Start(room, delay));
        Assert.Equal(isCrowded, room.IsCrowded);
    }

    [Fact]
    public void IsCrowded_AfterTenSeconds_TriesAgain()
    {
        var room = new CoreRoom(_time);
        Start(room, 300);
        Start(room, 300);
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(room.IsCrowded);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(room.IsCrowded);
        Start(room, 0);
        Assert.False(room.IsCrowded);
    }

    private void Start(CoreRoom room, int delayMs)
    {
        var asked = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(delayMs));
        room.Start(asked);
    }
}
