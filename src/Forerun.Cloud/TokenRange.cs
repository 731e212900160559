using Forerun.Core.Decoding;

namespace Forerun.Cloud;

/// <summary>Token ids from outside.</summary>
internal static class TokenRange
{
    /// <summary>Checks that all ids are in the vocabulary.</summary>
    /// <exception cref="ProtocolException">One is not.</exception>
    public static void Check(ReadOnlySpan<int> tokens, int vocabSize, string where)
    {
        var index = tokens.IndexOfAnyExceptInRange(0, vocabSize - 1);
        if (index >= 0)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadToken,
                $"Token {index} of the {where} is outside the target's vocabulary. Use the target's tokenizer.",
                $"0 to {vocabSize - 1}",
                $"{tokens[index]}");
        }
    }
}
