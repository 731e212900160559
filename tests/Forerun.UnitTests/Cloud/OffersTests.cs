using System.Collections.Immutable;
using CsCheck;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol;

namespace Forerun.UnitTests.Cloud;

public class OffersTests
{
    private readonly DraftInbox _inbox = new(promptLength: 2, vocabSize: 100, maxDraftLength: 8);

    [Fact]
    public void TakeOffer_TheTextHasOvertakenIt_WhatIsLeftIsTheDraft()
    {
        _inbox.Stream(9);
        _inbox.Offer(new(1, 2, [5, 6, 7, 8, 9]), draftLength: 2);
        Decide(5);
        Decide(6);
        AssertNext([7, 8], 1, 2, 5, 6);

        // All of it was right, and so is the bonus token: the rest is the next draft.
        _inbox.Decide(new Verdict(_inbox.Round, 1, 8, default));
        AssertNext([9], 1, 2, 5, 6, 7, 8);
        Assert.Equal((1, 1), (_inbox.QueuedDrafts, _inbox.MatchedDrafts));
        _inbox.Decide(new Verdict(_inbox.Round, 1, 3, default));
        AssertNext([], 1, 2, 5, 6, 7, 8, 9, 3);
    }

    [Fact]
    public void TakeOffer_TheTextWentOnOtherwise_ItIsDropped()
    {
        _inbox.Stream(9);
        _inbox.Offer(new(1, 2, [5, 6, 7]), 4);
        Decide(4);
        AssertNext([], 1, 2, 4);
    }

    [Fact]
    public void TakeOffer_Several_TheFirstThatFits()
    {
        _inbox.Stream(9);
        _inbox.Offer(new(1, 2, [5, 6]), 4);
        _inbox.Offer(new(1, 2, [5, 7, 8]), 4);
        _inbox.Offer(new(1, 2, [4, 6]), 4);
        Decide(5);
        AssertNext([6], 1, 2, 5);
    }

    [Fact]
    public void TakeOffer_InAPass_ANewOneDoesNotTakeItsPlace()
    {
        _inbox.Stream(9);
        _inbox.Offer(new(1, 2, [5]), 4);
        AssertNext([5], 1, 2);
        _inbox.Offer(new(1, 2, [6]), 4);
        Assert.Equal([5], _inbox.Next!.Tokens);
    }

    [Fact]
    public void Offer_RoundsThatAreNotStreamed_WaitForADraft()
    {
        _inbox.Offer(new(1, 2, [5]), 4);
        _inbox.TakeOffer([1, 2]);
        Assert.Null(_inbox.Next);
        _inbox.Add(new(1, 2, [7]));
        Assert.Equal([7], _inbox.Next!.Tokens);
    }

    [Fact]
    public void Offer_More_OneTakesThePlaceOfWhatItGoesOnFrom()
    {
        var offers = new Offers();
        for (var i = 0; i < 50; i++)
        {
            offers.Add(new(1, 2, [5, .. Enumerable.Repeat(6, i)]), 4);
        }

        offers.Add(new(1, 2, [9]), 4);
        Assert.Equal([6, 6, 6, 6], offers.Take(2, [1, 2, 5], out _)!.Tokens);
    }

    [Fact]
    public void Offer_TooMany_TheOldestIsDropped()
    {
        var offers = new Offers();
        foreach (var token in Enumerable.Range(0, ProtocolConstants.MaxQueuedDrafts + 1))
        {
            offers.Add(new(1, 2, [token, 50]), 4);
        }

        Assert.Null(Fitting(0));
        Assert.Null(Fitting(1));

        ImmutableArray<int>? Fitting(int token) => offers.Take(2, [1, 2, token], out _)?.Tokens;
    }

    [Fact]
    public void Offer_Malformed_TellsExpectedAndGot()
    {
        AssertRefused(new(1, 3, [5]), 4, VerificationErrorCode.BadPosition,
            "The offer starts at the wrong position: it must follow output tokens that are committed, or the prompt. "
            + "Expected 2 to 2, got 3.");
        AssertRefused(new(1, 1, [5]), 4, VerificationErrorCode.BadPosition,
            "The offer starts at the wrong position: it must follow output tokens that are committed, or the prompt. "
            + "Expected 2 to 2, got 1.");
        AssertRefused(new(1, 2, [5]), 0, VerificationErrorCode.BadMessage,
            "The offer is malformed: its drafts assume nothing, and at least one token is verified in a round. "
            + "Expected no assumption, at least 1 token, got none, 0 tokens.");
        AssertRefused(new(1, 2, [5], new(0, 0, 1)), 4, VerificationErrorCode.BadMessage,
            "The offer is malformed: its drafts assume nothing, and at least one token is verified in a round. "
            + "Expected no assumption, at least 1 token, got an assumption, 4 tokens.");
        AssertRefused(new(1, 2, [100]), 4, VerificationErrorCode.BadToken, null);
        AssertRefused(new(1, 2, [1, 2, 3, 4, 5, 6, 7, 8, 9]), 4, VerificationErrorCode.DraftTooLong, null);
        AssertRefused(
            new(1, 2, [5]) { DraftProbs = [SparseDistribution.Certain(5)] }, 4, VerificationErrorCode.BadDraftProbs, null);
        Assert.Equal(0, _inbox.QueuedDrafts);
    }

    [Fact]
    public void Offer_UnderRejectionSampling_IsRefused()
    {
        var inbox = new DraftInbox(2, 100, 8, needsDraftProbs: true);
        var draft = new Draft(1, 2, [5]) { DraftProbs = [SparseDistribution.Certain(5)] };
        var exception = Assert.Throws<ProtocolException>(() => inbox.Offer(draft, 4));
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
    }

    /// <summary>Any offers, any text: a draft that is taken is what an offer says behind the text.</summary>
    [Fact]
    public void Property_ADraftGoesOnAsAnOfferDoes() =>
        Gen.Select(Gen.Int[0, 2].Array[1, 12], Gen.Select(Gen.Int[0, 4], Gen.Int[0, 2].Array[1, 6]).Array[1, 20]).Sample(
            (text, drafts) =>
            {
                var offers = new Offers();
                foreach (var (position, tokens) in drafts)
                {
                    offers.Add(new(1, Math.Min(position, text.Length), [.. tokens]), 3);
                }

                if (offers.Take(7, text, out _) is { } draft)
                {
                    Assert.Equal((7, text.Length), (draft.Round, draft.BasePosition));
                    Assert.InRange(draft.Tokens.Length, 1, 3);
                    Assert.Contains(drafts, one => text.Concat(draft.Tokens).Skip(Math.Min(one.Item1, text.Length)).ToArray() is var whole
                        && one.Item2.AsSpan().StartsWith(whole) && whole.Length > text.Length - Math.Min(one.Item1, text.Length));
                }
            },
            iter: 2000);

    private void Decide(int token) => _inbox.Decide(new Verdict(_inbox.Round, 0, token, default));

    private void AssertNext(int[] tokens, params int[] text)
    {
        _inbox.TakeOffer(text);
        Assert.True(_inbox.IsStreamed);
        Assert.Equal((_inbox.Round, text.Length), (_inbox.Next!.Round, _inbox.Next.BasePosition));
        Assert.Equal(tokens, _inbox.Next.Tokens);
    }

    private void AssertRefused(Draft draft, int draftLength, VerificationErrorCode code, string? message)
    {
        var exception = Assert.Throws<ProtocolException>(() => _inbox.Offer(draft, draftLength));
        Assert.Equal(code, exception.Error.Code);
        Assert.Equal(message ?? exception.Message, exception.Message);
    }
}
