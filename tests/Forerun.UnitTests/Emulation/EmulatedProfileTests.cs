using Forerun.Core.Emulation;

namespace Forerun.UnitTests.Emulation;

public sealed class EmulatedProfileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    [Theory]
    [InlineData("a100+jetson-nano", 75.25, 522, 96)]
    [InlineData("a100+rtx2080ti", 24.75, 467, 47)]
    [InlineData("a100+go2", 72, 620, 120)]
    public void Find_Name_HasThePapersFigures(string name, double stepMs, double verifyMs, double networkMs)
    {
        var profile = EmulatedProfileFile.Find(name);
        Assert.Equal(
            (name, stepMs, verifyMs, networkMs),
            (profile.Name, profile.DraftStep.TotalMilliseconds, profile.Verification.TotalMilliseconds, profile.Network.TotalMilliseconds));
    }

    [Fact]
    public void Find_File_IsTheProfileOfTheFile()
    {
        File.WriteAllText(_path, """{"name": "my-board_2.0", "draftMs": 120.5, "verifyMs": 300, "networkMs": 0}""");
        var profile = EmulatedProfileFile.Find(_path);
        Assert.Equal("my-board_2.0", profile.Name);
        Assert.Equal("draft of 4: 120.5 ms, verification 300 ms, network 0 ms", profile.Describe());
    }

    [Theory]
    [InlineData("not a profile", "expected {\"name\"")]
    [InlineData("null", "expected {\"name\"")]
    [InlineData("""{"name": "x", "draftMs": 1, "verifyMs": 1}""", "networkMs")]
    [InlineData("""{"name": null, "draftMs": 1, "verifyMs": 1, "networkMs": 1}""", "expected {\"name\"")]
    [InlineData("""{"name": "x", "draftMs": 1, "verifyMs": 1, "networkMs": 1, "draft_ms": 2}""", "draft_ms")]
    [InlineData("""{"name": "x", "draftMs": "1", "verifyMs": 1, "networkMs": 1}""", "draftMs")]
    [InlineData("""{"name": "x", "draftMs": 0, "verifyMs": 1, "networkMs": 1}""", "expected draftMs: above 0")]
    [InlineData("""{"name": "x", "draftMs": 1, "verifyMs": 600001, "networkMs": 1}""", "expected verifyMs: above 0, up to 600000")]
    [InlineData("""{"name": "x", "draftMs": 1, "verifyMs": 1, "networkMs": -1}""", "expected networkMs: 0 to 600000")]
    [InlineData("""{"name": "", "draftMs": 1, "verifyMs": 1, "networkMs": 1}""", "expected name: 1 to 64")]
    [InlineData("""{"name": "[red]", "draftMs": 1, "verifyMs": 1, "networkMs": 1}""", "expected name: 1 to 64")]
    [InlineData("""{"name": "a100+go2", "draftMs": 1, "verifyMs": 1, "networkMs": 1}""", "not one of Forerun's own profiles")]
    public void Find_BadFile_SaysWhatIsExpected(string text, string expected)
    {
        File.WriteAllText(_path, text);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => EmulatedProfileFile.Find(_path)).Message);
    }

    [Fact]
    public void Find_LargeFile_IsNotRead()
    {
        File.WriteAllText(_path, new string(' ', 65 * 1024));
        Assert.Contains("at most 65536 bytes", Assert.Throws<InvalidDataException>(() => EmulatedProfileFile.Find(_path)).Message);
    }

    [Fact]
    public void Find_Unknown_NamesTheProfiles() => Assert.Contains(
        "expected a100+jetson-nano, a100+rtx2080ti, a100+go2, or a JSON file",
        Assert.Throws<ArgumentException>(() => EmulatedProfileFile.Find("h100+abacus")).Message);

    public void Dispose() => File.Delete(_path);
}
