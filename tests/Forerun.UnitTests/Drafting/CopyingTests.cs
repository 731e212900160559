using CsCheck;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;

namespace Forerun.UnitTests.Drafting;

/// <summary>A draft model copies where the text repeats itself, on the edge and on the server.</summary>
public class CopyingTests
{
    private const int Repeated = 77;

    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        Sampling = TinyModels.Sampled(3),
        IgnoreEndTokens = true,
    };

    [Theory]
    [InlineData(0f)]
    [InlineData(0.8f)]
    public void Propose_SixTokensStoodTogetherBefore_DraftsWhatFollowedThem(float temperature)
    {
        int[] history = [20, 1, 2, 3, 4, 5, 6, Repeated, 30, 40, 21, 1, 2, 3, 4, 5, 6];
        var request = Request with { Sampling = Request.Sampling with { Temperature = temperature } };
        Assert.Equal([Repeated, 30, 40, 21], Propose(history, 4, request));
        Assert.NotEqual(Repeated, Propose(history, 1, request, usesRepeats: false)[0]);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Extend_FewerTokensStoodTogetherBefore_IsTheFirstAlternative(int count)
    {
        var drafted = Draft(Repetition(count), Request);
        var own = Draft(Repetition(count), Request, usesRepeats: false);
        Assert.NotEqual(Repeated, own.Alternatives[0]);
        Assert.Equal((own.Token, Repeated), (drafted.Token, drafted.Alternatives[0]));
        Assert.Equal(own.Margin, drafted.Margin);
    }

    [Fact]
    public void Extend_OneTokenStoodBefore_IsTheModelsOwnChoice() =>
        Assert.Equal(Draft(Repetition(1), Request, usesRepeats: false), Draft(Repetition(1), Request));

    [Fact]
    public void Extend_CopiesAgainstTheModelsChoice_KnowsNoMargin()
    {
        var own = Draft(Repetition(6), Request, usesRepeats: false);
        Assert.False(float.IsNaN(own.Margin));
        Assert.NotEqual(Repeated, own.Token);
        Assert.True(float.IsNaN(Draft(Repetition(6), Request).Margin));
    }

    [Fact]
    public void Extend_CopiesWhatTheModelChoosesToo_KeepsTheMargin()
    {
        var (own, drafted) = (
            from seed in Enumerable.Range(0, 20)
            let request = Request with { Sampling = TinyModels.Sampled((ulong)seed) }
            from token in Enumerable.Range(20, 600)
            let choice = Draft(Repetition(6, token), request, usesRepeats: false)
            where choice.Token == token
            select (choice, Draft(Repetition(6, token), request))).First();
        Assert.Equal(own, drafted);
    }

    [Fact]
    public void Extend_AnyHistory_IsTheModelsRankingWithTheCopiedTokenMovedUp() =>
        Gen.Select(Gen.Int[0, 2].Array[1, 40], Gen.Int[0, 13], Gen.Bool).Sample(
            (history, topK, isGreedy) =>
            {
                var sampling = Request.Sampling with { TopK = topK, Temperature = isGreedy ? 0 : 1.5f };
                var request = Request with { Sampling = sampling };
                var (drafted, own) = (Draft(history, request), Draft(history, request, usesRepeats: false));
                var (choices, ownChoices) = (Choices(drafted), Choices(own));
                var repeat = Repeats.Find(history, shortest: 2, longest: 6, out var next);
                var better = ownChoices[..(repeat == 6 ? 0 : 1)];
                int[] expected = repeat == 0 || better.Contains(history[next])
                    ? ownChoices
                    : [.. better, history[next], .. ownChoices[better.Length..].Where(token => token != history[next])];
                Assert.Equal(expected.Take(TokenAlternatives.Capacity + 1), choices);
                Assert.Equal(drafted.Token == own.Token ? own.Margin : float.NaN, drafted.Margin);
                Assert.Distinct(choices);
            },
            iter: 200);

    [Fact]
    public void Extend_Rejection_DrawsFromTheModelAlone()
    {
        var request = Request with { Sampling = Request.Sampling with { Acceptance = AcceptanceRule.Rejection } };
        var (drafted, own) = (Draft(Repetition(6), request), Draft(Repetition(6), request, usesRepeats: false));
        Assert.NotEqual(Repeated, own.Token);
        Assert.Equal(own with { DraftProbs = null }, drafted with { DraftProbs = null });
        Assert.Equal(own.DraftProbs!.Weights, drafted.DraftProbs!.Weights);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(640)]
    public void Extend_UnknownIdInTheHistory_IsRefusedNotCopied(int token)
    {
        int[] history = [1, 2, 3, 4, 5, 6, token, 21, 1, 2, 3, 4, 5, 6];
        Assert.StartsWith(
            $"Token {token} is outside the vocabulary: expected 0 to 639.",
            Assert.Throws<ArgumentException>(() => Draft(history, Request)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void DraftSession_AnyHistory_DraftsWhatTheEdgeWould() =>
        Gen.Select(Gen.Int[0, 2].Array[1, 40], Gen.Int[1, 8], Gen.Bool).Sample(
            (history, length, isRejection) =>
            {
                var rule = isRejection ? AcceptanceRule.Rejection : AcceptanceRule.SharedNoise;
                var request = Request with { PromptTokens = [.. history], Sampling = Request.Sampling with { Acceptance = rule } };
                Assert.Equal(Propose(history, length, request), ProposeOnServer(request, length));
            },
            iter: 100);

    /// <summary>The last tokens, so many, stood together before, and something followed them.</summary>
    private static int[] Repetition(int count, int followedBy = Repeated)
    {
        int[] tokens = [.. Enumerable.Range(1, count)];
        return [20, .. tokens, followedBy, 21, .. tokens];
    }

    private static int[] Choices(DraftedToken drafted) =>
        [drafted.Token, .. Enumerable.Range(0, drafted.Alternatives.Count).Select(rank => drafted.Alternatives[rank])];

    private static DraftedToken Draft(int[] history, GenerationRequest request, bool usesRepeats = true)
    {
        using var drafter = new ModelDrafter(TinyModels.Draft) { UsesRepeats = usesRepeats };
        using var branch = new DraftBranch();
        drafter.Begin(request);
        branch.Follow(history, wanted: 1);
        drafter.Extend([branch]);
        return branch[0];
    }

    private static int[] Propose(int[] history, int length, GenerationRequest request, bool usesRepeats = true)
    {
        using var drafter = new ModelDrafter(TinyModels.Draft) { UsesRepeats = usesRepeats };
        drafter.Begin(request);
        var draft = new int[length];
        return draft[..drafter.Propose(history, draft)];
    }

    private static int[] ProposeOnServer(GenerationRequest request, int length)
    {
        using var target = new TargetSession(TinyModels.Target, request, RequestCheck.Check(request, TinyModels.Target));
        using var drafting = new DraftSession(TinyModels.Draft, request.Sampling, length);
        using var pass = TinyModels.Draft.CreatePass(maxRows: 128, maxLogitRows: 1);
        var batch = new ForwardBatch();
        drafting.Begin(target);
        do
        {
            batch.Clear();
            drafting.AddRows(batch, target, 128);
            pass.Run(batch);
        }
        while (drafting.Complete(pass, target));

        return target.TokensWithRoom(drafting.Length).Slice(target.CommittedLength, drafting.Length).ToArray();
    }
}
