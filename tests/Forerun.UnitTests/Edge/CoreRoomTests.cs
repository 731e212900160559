using Forerun.Edge.PreDrafting;
using Microsoft.Extensions.Time.Testing;

namespace Forerun.UnitTests.Edge;

public class CoreRoomTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(0, false)]
    [InlineData(10, false)]
    [InlineData(11, true)]
    public void Start_Late_MeansThatTheCoreIsCrowded(int delayMs, bool isCrowded)
    {
        var room = new CoreRoom(_time);
        Start(room, delayMs);
        Assert.Equal(isCrowded, room.IsCrowded);
    }

    [Fact]
    public void IsCrowded_AfterHalfAMinute_TriesAgain()
    {
        var room = new CoreRoom(_time);
        Start(room, 300);
        Start(room, 0);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.True(room.IsCrowded);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(room.IsCrowded);
    }

    private void Start(CoreRoom room, int delayMs)
    {
        var asked = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(delayMs));
        room.Start(asked);
    }
}
