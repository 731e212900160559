using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol.V1;
using Google.Protobuf.Collections;

namespace Forerun.Protocol;

/// <summary>Log probabilities of a verdict, to and from the wire.</summary>
internal static class LogprobsMapping
{
    public static Logprobs ToMessage(LogProbabilities value)
    {
        var message = new Logprobs { Logprob = value.Chosen };
        foreach (var (token, logProbability) in value.Top)
        {
            message.TopTokens.Add((uint)token);
            message.TopLogprobs.Add(logProbability);
        }

        return message;
    }

    /// <summary>The log probabilities of a verdict's output tokens.</summary>
    /// <exception cref="ProtocolException">There are not as many tokens as numbers, or too many.</exception>
    public static ImmutableArray<LogProbabilities> ToLogProbabilities(RepeatedField<Logprobs> messages) =>
        messages.Count == 0 ? [] : [.. messages.Select(ToLogProbabilities)];

    private static LogProbabilities ToLogProbabilities(Logprobs message)
    {
        var count = message.TopTokens.Count;
        if (count != message.TopLogprobs.Count || count > LogProbabilities.MaxTop)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMessage,
                "The likeliest tokens of a verdict do not fit their log probabilities.",
                $"as many of both, at most {LogProbabilities.MaxTop}",
                $"{count} and {message.TopLogprobs.Count}");
        }

        return new LogProbabilities(
            message.Logprob,
            [
                .. WireNumbers.ToTokens(message.TopTokens).Zip(
                    message.TopLogprobs, (token, logProbability) => new TokenLogProbability(token, logProbability)),
            ]);
    }
}
