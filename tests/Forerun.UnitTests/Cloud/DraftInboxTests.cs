using Forerun.Cloud;
using Forerun.Core.Decoding;

namespace Forerun.UnitTests.Cloud;

public class DraftInboxTests
{
    private readonly DraftInbox _inbox = new(promptLength: 10, vocabSize: 100, maxDraftLength: 4);

    [Fact]
    public void Add_FirstDraft_FollowsThePrompt()
    {
        var draft = new Draft(1, 10, [1, 2]);
        _inbox.Add(draft);
        Assert.Same(draft, _inbox.Next);
    }

    [Fact]
    public void Decide_MovesBehindTheOutput()
    {
        _inbox.Add(new Draft(1, 10, [1, 2]));
        _inbox.Decide(Verdict(1, 1, 7));
        Assert.Equal((2, 12), (_inbox.Round, _inbox.BasePosition));
        Assert.Null(_inbox.Next);
        _inbox.Add(new Draft(2, 12, []));
        Assert.NotNull(_inbox.Next);
    }

    [Fact]
    public void Add_Malformed_TellsExpectedAndGot()
    {
        AssertRefused(new(3, 10, []), VerificationErrorCode.BadRound,
            "The draft's round is wrong: a draft without an assumption follows the last verdict. "
            + "Expected round 1, got round 3.");
        AssertRefused(new(1, 11, []), VerificationErrorCode.BadPosition,
            "The draft of round 1 starts at the wrong position: it must follow all committed tokens. "
            + "Expected 10, got 11.");
        AssertRefused(new(1, 10, [1, 2, 3, 4, 5]), VerificationErrorCode.DraftTooLong,
            "The draft of round 1 is too long. Draft fewer tokens. Expected at most 4, got 5.");
        AssertRefused(new(1, 10, [1, 100]), VerificationErrorCode.BadToken,
            "Token 1 of the draft is outside the target's vocabulary. Use the target's tokenizer. "
            + "Expected 0 to 99, got 100.");
        AssertRefused(new(5, 10, [1], new(3, 0, 1)), VerificationErrorCode.BadRound,
            "The draft's assumption is about the wrong round: it must be the round before. "
            + "Expected round 4, got round 3.");
        _inbox.Add(new(1, 10, []));
        AssertRefused(new(1, 10, []), VerificationErrorCode.BadRound,
            "The draft's round is wrong: a draft without an assumption follows the last verdict. "
            + "Expected no draft before the verdict of round 1, got round 1.");
    }

    [Fact]
    public void Decide_HeldDraftThatAssumedIt_IsNext()
    {
        _inbox.Add(new(1, 10, [1, 2]));
        _inbox.Add(new(2, 13, [4], new(1, 2, 3)));
        var right = new Draft(2, 12, [9], new(1, 1, 7));
        _inbox.Add(right);
        _inbox.Decide(Verdict(1, 1, 7));
        Assert.Same(right, _inbox.Next);
    }

    [Fact]
    public void Decide_OtherwiseThanAssumed_DropsTheDraft()
    {
        _inbox.Add(new(1, 10, [1, 2]));
        _inbox.Add(new(2, 13, [4], new(1, 2, 3)));
        _inbox.Decide(Verdict(1, 0, 8));
        Assert.Null(_inbox.Next);
        _inbox.Add(new(2, 11, [5]));
        _inbox.Decide(Verdict(2, 1, 3));
        Assert.Null(_inbox.Next);
    }

    [Fact]
    public void Add_AssumptionAboutADecidedRound_IsComparedAtOnce()
    {
        _inbox.Add(new(1, 10, []));
        _inbox.Decide(Verdict(1, 0, 8));
        _inbox.Add(new(2, 11, [5], new(1, 0, 9)));
        Assert.Null(_inbox.Next);
        _inbox.Add(new(2, 11, [5], new(1, 0, 8)));
        Assert.NotNull(_inbox.Next);
    }

    [Fact]
    public void Add_TooManyHeld_IsRefused()
    {
        _inbox.Add(new(1, 10, []));
        for (var i = 0; i < 16; i++)
        {
            _inbox.Add(new(2, 11, [5], new(1, 0, i)));
        }

        AssertRefused(new(2, 11, [5], new(1, 0, 50)), VerificationErrorCode.BadRound,
            "Too many drafts wait for the verdict of round 1. Expected at most 16, got 17.");
    }

    private static Verdict Verdict(int round, int accepted, int next) => new(round, accepted, next, default);

    private void AssertRefused(Draft draft, VerificationErrorCode code, string message)
    {
        var exception = Assert.Throws<ProtocolException>(() => _inbox.Add(draft));
        Assert.Equal((code, message), (exception.Error.Code, exception.Message));
    }
}
