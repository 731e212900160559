using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Edge;

public class EdgeDecoderTests
{
    private static readonly GenerationRequest Request = new() { PromptTokens = [1, 2, 3], MaxTokens = 6 };
    private static readonly GenerationEnd End = new(FinishReason.Length, new Usage { OutputTokens = 6 });
    private static readonly OracleDrafter Counter = new([10, 11, 12, 13, 14, 15], 0, 100);

    [Fact]
    public async Task Complete_DraftsSendsAndAccepts()
    {
        var verifier = new ScriptedVerifier(V(1, 3, 13), V(2, 0, 20), V(3, 0, 21, isLast: true), End);
        var decoder = new EdgeDecoder(verifier, Counter, new() { DraftLength = 3 });
        var generation = await decoder.CompleteAsync(Request, Deadline.Token);
        Assert.Equal([10, 11, 12, 13, 20, 21], generation.Tokens);
        Assert.Equal(End, generation.End);
        Assert.Equal(new WireBytes(3, 4), generation.Bytes);
        Assert.Equal(
            [(1, 3, 3), (2, 7, 1), (3, 8, 0)],
            verifier.Sent.Select(draft => (draft.Round, draft.BasePosition, draft.Tokens.Length)));
        Assert.True(verifier.IsDisposed);
    }

    [Fact]
    public async Task Complete_LastTokens_AreNotDraftedBeyondTheLimit()
    {
        var verifier = new ScriptedVerifier(V(1, 1, 20), V(2, 0, 21), V(3, 0, 22, isLast: true), End);
        var decoder = new EdgeDecoder(verifier, Counter, new() { DraftLength = 8 });
        await decoder.CompleteAsync(Request with { MaxTokens = 4 }, Deadline.Token);
        Assert.Equal([3, 1, 0], verifier.Sent.Select(draft => draft.Tokens.Length));
    }

    [Fact]
    public async Task Complete_AnnouncementAfterTheLastVerdict_IsIgnored()
    {
        var late = new Announcement(1, 2, 0, 9, 0.5f);
        var verifier = new ScriptedVerifier(V(1, 0, 20, isLast: true), late, late, End);
        var generation = await new EdgeDecoder(verifier, Counter).CompleteAsync(Request, Deadline.Token);
        Assert.Equal([20], generation.Tokens);
        Assert.Equal(End, generation.End);
    }

    [Fact]
    public async Task Generate_Autoregressive_SendsNothing()
    {
        var verifier = new ScriptedVerifier(V(1, 0, 20), V(2, 0, 21, isLast: true), End);
        var rounds = await ToListAsync(new EdgeDecoder(verifier, Counter)
            .GenerateAsync(Request with { Mode = DecodingMode.Autoregressive }, Deadline.Token));
        Assert.Equal([20, 21], rounds.SelectMany(round => round.Tokens));
        Assert.Null(rounds[0].End);
        Assert.Equal(End, rounds[1].End);
        Assert.Empty(verifier.Sent);
    }

    [Fact]
    public async Task Generate_Round_TellsWhatItCost()
    {
        var timings = new ServerTimings(TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2));
        var verifier = new ScriptedVerifier(
            new Announcement(1, 2, 0, 9, 0.5f), new Verdict(1, 2, 20, timings, IsLast: true), End);
        using var time = new GatedTime();
        var decoder = new EdgeDecoder(verifier, Counter, new() { DraftLength = 3 }, time);
        var round = Assert.Single(await ToListAsync(decoder.GenerateAsync(Request, Deadline.Token)));
        Assert.Equal((1, 3, 2, timings), (round.Round, round.DraftLength, round.AcceptedCount, round.ServerTimings));
        Assert.Equal((1.0, 1.0), (round.DraftTime.TotalMilliseconds, round.WaitTime.TotalMilliseconds));
    }

    [Fact]
    public void Generate_BadArguments_ThrowAtTheCall()
    {
        var decoder = new EdgeDecoder(new ScriptedVerifier());
        var exception = Assert.Throws<ArgumentException>(
            () => decoder.GenerateAsync(new() { PromptTokens = [] }, Deadline.Token));
        Assert.Equal("The prompt is empty: expected at least one token. (Parameter 'request')", exception.Message);
        exception = Assert.Throws<ArgumentException>(() => decoder.GenerateAsync(Request, Deadline.Token));
        Assert.Equal(
            "The mode 'Speculative' needs a drafter. Pass one, or choose the mode 'Autoregressive'. "
            + "(Parameter 'request')",
            exception.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    public void Constructor_DraftLengthOutOfRange_Throws(int draftLength)
    {
        var exception = Assert.Throws<ArgumentOutOfRangeException>(
            () => new EdgeDecoder(new ScriptedVerifier(), Counter, new() { DraftLength = draftLength }));
        Assert.StartsWith(
            "The draft length is out of range: expected 1 to 16.", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Complete_ServerBreaksTheProtocol_TellsHow()
    {
        await AssertBrokenAsync(
            "The server sent a verdict of another round. Expected round 1, got round 2.", V(2, 0, 1));
        await AssertBrokenAsync(
            "The server accepted more tokens than were drafted in round 1. Expected at most 4, got 5.", V(1, 5, 1));
        await AssertBrokenAsync(
            "The server ended the generation without a last verdict. Expected the verdict of round 1, got an end.",
            End);
        await AssertBrokenAsync(
            "The server went on after the last verdict. Expected an end, got Verdict.", V(1, 0, 1, true), V(2, 0, 1));
    }

    [Fact]
    public async Task Complete_ServerBreaksTheProtocolOfAStream_TellsHow()
    {
        var accepted = V(1, 1, 20) with { AcceptedTokens = [5], DraftLength = 1 };
        await AssertBrokenAsync(
            DecodingMode.Autoregressive, "The server accepted more tokens than were drafted in round 1. Expected at most 0, got 1.", accepted);
        foreach (var mode in new[] { DecodingMode.Asynchronous, DecodingMode.Auto, DecodingMode.Colocated })
        {
            await AssertBrokenAsync(
                mode, "The server verified more tokens than a draft may have in round 1. Expected at most 16, got 17.",
                accepted with { DraftLength = 17 });
            await AssertBrokenAsync(
                mode, "The server's verdict of round 1 lacks tokens that it accepted. Expected 1, got 0.",
                accepted with { AcceptedTokens = [] });
        }
    }

    [Fact]
    public async Task Generate_LeavingTheLoop_EndsTheVerification()
    {
        var verifier = new ScriptedVerifier(V(1, 0, 20), V(2, 0, 21));
        await foreach (var _ in new EdgeDecoder(verifier, Counter).GenerateAsync(Request, Deadline.Token))
        {
            break;
        }

        Assert.True(verifier.IsDisposed);
    }

    [Fact]
    public async Task Generate_Cancelled_ThrowsAndEndsTheVerification()
    {
        var verifier = new ScriptedVerifier(V(1, 0, 20), V(2, 0, 21));
        using var cancellation = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in new EdgeDecoder(verifier, Counter).GenerateAsync(Request, cancellation.Token))
            {
                await cancellation.CancelAsync();
            }
        });
        Assert.True(verifier.IsDisposed);
    }

    private static Verdict V(int round, int accepted, int next, bool isLast = false) =>
        new(round, accepted, next, default, isLast);

    private static Task AssertBrokenAsync(string message, params VerificationEvent[] events) =>
        AssertBrokenAsync(Request.Mode, message, events);

    private static async Task AssertBrokenAsync(DecodingMode mode, string message, params VerificationEvent[] events)
    {
        var verifier = new ScriptedVerifier(events);
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => new EdgeDecoder(verifier, Counter).CompleteAsync(Request with { Mode = mode }, Deadline.Token));
        Assert.Equal(message, exception.Message);
        Assert.True(verifier.IsDisposed);
    }

    private static async Task<List<DecodedRound>> ToListAsync(IAsyncEnumerable<DecodedRound> rounds)
    {
        List<DecodedRound> list = [];
        await foreach (var round in rounds)
        {
            list.Add(round);
        }

        return list;
    }
}
