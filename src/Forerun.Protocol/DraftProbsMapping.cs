using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol.V1;

namespace Forerun.Protocol;

/// <summary>What draft tokens were drawn from, to and from the wire. Token ids ascend, so they travel as steps.</summary>
internal static class DraftProbsMapping
{
    public static DraftProbs ToMessage(SparseDistribution draftProbs)
    {
        var message = new DraftProbs();
        var previous = 0;
        foreach (var token in draftProbs.Tokens)
        {
            message.TokenSteps.Add((uint)(token - previous));
            previous = token;
        }

        WireNumbers.AddTokens(message.Weights, draftProbs.Weights);
        return message;
    }

    /// <summary>One distribution per draft token, or none at all.</summary>
    /// <exception cref="ProtocolException">Their number is another, or one is malformed.</exception>
    public static ImmutableArray<SparseDistribution> ToDraftProbs(V1.Draft draft)
    {
        if (draft.DraftProbs.Count == 0)
        {
            return [];
        }

        if (draft.DraftProbs.Count != draft.Tokens.Count)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadDraftProbs,
                $"The draft of round {draft.Round} has a wrong number of draft probabilities: one distribution per token, or none.",
                $"{draft.Tokens.Count} or none",
                $"{draft.DraftProbs.Count}");
        }

        return [.. draft.DraftProbs.Select((message, index) => ToDraftProbs(message, draft.Round, index))];
    }

    private static SparseDistribution ToDraftProbs(DraftProbs message, uint round, int index)
    {
        try
        {
            if (message.TokenSteps.Count > SparseDistribution.MaxTokens || message.Weights.Count > SparseDistribution.MaxTokens)
            {
                throw new ArgumentException($"It must have 1 to {SparseDistribution.MaxTokens} tokens and as many weights.");
            }

            return SparseDistribution.Create(
                TokensOf(message), [.. message.Weights.Select(weight => (int)Math.Min(weight, int.MaxValue))]);
        }
        catch (ArgumentException exception)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadDraftProbs,
                $"The draft probabilities of token {index} in round {round} are malformed. {exception.Message}");
        }
    }

    /// <summary>Token ids from their steps; what would leave the range of ids stays at its end, and no longer ascends.</summary>
    private static ImmutableArray<int> TokensOf(DraftProbs message)
    {
        var tokens = ImmutableArray.CreateBuilder<int>(message.TokenSteps.Count);
        var token = 0L;
        foreach (var step in message.TokenSteps)
        {
            token = Math.Min(token + step, int.MaxValue);
            tokens.Add((int)token);
        }

        return tokens.MoveToImmutable();
    }
}
