using CsCheck;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;

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
    public void Stream_RoundsNeedNoDraft_ThenOneIsWaitedFor()
    {
        _inbox.Stream(2);
        _inbox.Stream(1);
        AssertStreamed(1, 10);
        _inbox.Decide(Verdict(1, 0, 7));
        AssertStreamed(2, 11);
        _inbox.Decide(Verdict(2, 0, 7));
        Assert.Null(_inbox.Next);
        _inbox.Add(new(3, 12, [1]));
        Assert.Equal([1], _inbox.Next!.Tokens);

        void AssertStreamed(int round, int position)
        {
            var next = _inbox.Next!;
            Assert.True(_inbox.IsStreamed);
            Assert.Equal((round, position, 0), (next.Round, next.BasePosition, next.Tokens.Length));
        }
    }

    [Fact]
    public void Stream_ADraftThatIsThere_IsVerifiedFirst()
    {
        var draft = new Draft(1, 10, [1]);
        var ahead = new Draft(2, 11, [5], new(1, 0, 8));
        _inbox.Add(draft);
        _inbox.Add(ahead);
        _inbox.Stream(9);
        Assert.Same(draft, _inbox.Next);
        _inbox.Decide(Verdict(1, 0, 8));
        Assert.Same(ahead, _inbox.Next);
        _inbox.Decide(Verdict(2, 0, 8));
        Assert.True(_inbox.IsStreamed);
    }

    [Fact]
    public void Add_ForAStreamedRound_IsRefusedOrTooLate()
    {
        _inbox.Stream(4);
        AssertRefused(new(1, 10, [1]), VerificationErrorCode.BadRound,
            "The draft's round is wrong: a draft without an assumption follows the last verdict. "
            + "Expected no draft before the verdict of round 4, got round 1.");
        _inbox.Decide(Verdict(1, 0, 8));
        _inbox.Add(new(2, 11, [5], new(1, 0, 8)));
        Assert.True(_inbox.IsStreamed);
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
        AssertRefused(new(2, 10, [1], new(0, 0, 1)), VerificationErrorCode.BadRound,
            "The draft's assumption is about the wrong round: it must be the round before, and at most the one that is "
            + "being verified. Expected round 1, got round 0.");
        AssertRefused(new(3, 12, [1], new(2, 0, 1)), VerificationErrorCode.BadRound,
            "The draft's assumption is about the wrong round: it must be the round before, and at most the one that is "
            + "being verified. Expected round 1, got round 2.");
        AssertRefused(new(2, 12, [1], new(1, 0, 1)), VerificationErrorCode.BadPosition,
            "The draft of round 2 starts at the wrong position: it must follow all committed tokens. "
            + "Expected 11, got 12.");
        AssertRefused(new(2, 12, [1], new(1, int.MaxValue, 1)), VerificationErrorCode.BadPosition,
            "The draft of round 2 starts at the wrong position: it must follow all committed tokens. "
            + "Expected 2147483658, got 12.");
        _inbox.Add(new(1, 10, []));
        AssertRefused(new(1, 10, []), VerificationErrorCode.BadRound,
            "The draft's round is wrong: a draft without an assumption follows the last verdict. "
            + "Expected no draft before the verdict of round 1, got round 1.");
    }

    [Fact]
    public void Add_DraftProbs_AreThereWhereTheyAreNeededAndNowhereElse()
    {
        var inbox = new DraftInbox(promptLength: 10, vocabSize: 100, maxDraftLength: 4, needsDraftProbs: true);
        var right = new Draft(1, 10, [1, 2])
        {
            DraftProbs = [SparseDistribution.Certain(1), SparseDistribution.Create([2, 99], [1, 4095])],
        };
        AssertRefused(_inbox, right, VerificationErrorCode.BadDraftProbs,
            "The draft of round 1 brings draft probabilities, but only rejection sampling at a temperature above 0 needs them. "
            + "Expected 0, got 2.");
        AssertRefused(inbox, new(1, 10, [1, 2]), VerificationErrorCode.BadDraftProbs,
            "The draft of round 1 lacks draft probabilities: under rejection sampling each token brings what it was drawn from. "
            + "Expected 2, got 0.");
        AssertRefused(inbox, right with { Tokens = [1, 3] }, VerificationErrorCode.BadDraftProbs,
            "Token 1 of the draft of round 1 cannot have been drawn from its draft probabilities: its weight there is 0. "
            + "Expected one of 2 tokens, got 3.");
        AssertRefused(
            inbox,
            right with { DraftProbs = [right.DraftProbs[0], SparseDistribution.Create([2, 100], [1, 4095])] },
            VerificationErrorCode.BadToken,
            "Token 1 of the draft probabilities is outside the target's vocabulary. Use the target's tokenizer. "
            + "Expected 0 to 99, got 100.");
        inbox.Add(right);
        Assert.Same(right, inbox.Next);
        new DraftInbox(10, 100, 4, needsDraftProbs: true).Add(new Draft(1, 10, []));
    }

    [Fact]
    public void Decide_QueuedDraftThatAssumedIt_IsNext()
    {
        _inbox.Add(new(1, 10, [1, 2]));
        _inbox.Add(new(2, 13, [4], new(1, 2, 3)));
        var right = new Draft(2, 12, [9], new(1, 1, 7));
        _inbox.Add(right);
        _inbox.Decide(Verdict(1, 1, 7));
        Assert.Same(right, _inbox.Next);
        Assert.Equal((2, 1), (_inbox.QueuedDrafts, _inbox.MatchedDrafts));
    }

    [Fact]
    public void Add_SameAssumptionTwice_TheFirstWins()
    {
        var first = new Draft(2, 11, [5], new(1, 0, 8));
        _inbox.Add(new(1, 10, []));
        _inbox.Add(first);
        _inbox.Add(new(2, 11, [6], new(1, 0, 8)));
        _inbox.Decide(Verdict(1, 0, 8));
        _inbox.Add(new(2, 11, [7], new(1, 0, 8)));
        Assert.Same(first, _inbox.Next);
        Assert.Equal((3, 1), (_inbox.QueuedDrafts, _inbox.MatchedDrafts));
        AssertRefused(new(2, 11, []), VerificationErrorCode.BadRound,
            "The draft's round is wrong: a draft without an assumption follows the last verdict. "
            + "Expected no draft before the verdict of round 2, got round 2.");
    }

    [Fact]
    public void AddAndDecide_AnyOrder_NextIsTheFirstThatAssumedTheVerdict() =>
        Gen.Select(Gen.Int[0, 12], Gen.Select(Gen.Int[0, 2], Gen.Int[0, 2]).Array[0, 12]).Sample((decideAt, keys) =>
        {
            var inbox = new DraftInbox(promptLength: 10, vocabSize: 100, maxDraftLength: 4);
            inbox.Add(new(1, 10, [1, 2]));
            Draft[] drafts = [.. keys.Select((key, i) => new Draft(2, 11 + key.Item1, [i], new(1, key.Item1, key.Item2)))];
            for (var i = 0; i < drafts.Length; i++)
            {
                DecideAt(i);
                inbox.Add(drafts[i]);
            }

            DecideAt(Math.Max(decideAt, drafts.Length));
            var expected = drafts.FirstOrDefault(draft => draft.Assumption == new Assumption(1, 1, 1));
            Assert.Same(expected, inbox.Next);
            Assert.Equal((2, 12), (inbox.Round, inbox.BasePosition));
            Assert.Equal((drafts.Length, expected is null ? 0 : 1), (inbox.QueuedDrafts, inbox.MatchedDrafts));

            void DecideAt(int i)
            {
                if (inbox.Round == 1 && i >= decideAt)
                {
                    inbox.Decide(Verdict(1, 1, 1));
                }
            }
        });

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

    private void AssertRefused(Draft draft, VerificationErrorCode code, string message) =>
        AssertRefused(_inbox, draft, code, message);

    private static void AssertRefused(DraftInbox inbox, Draft draft, VerificationErrorCode code, string message)
    {
        var exception = Assert.Throws<ProtocolException>(() => inbox.Add(draft));
        Assert.Equal((code, message), (exception.Error.Code, exception.Message));
    }
}
