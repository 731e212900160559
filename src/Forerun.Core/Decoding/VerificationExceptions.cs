namespace Forerun.Core.Decoding;

/// <summary>Edge and target do not fit together: tokenizer, model or numerics.</summary>
public sealed class ModelMismatchException : Exception
{
    /// <summary>From the error's data.</summary>
    public ModelMismatchException(VerificationError error, Exception? innerException = null)
        : base(error.ToString(), innerException) => Error = error;

    /// <summary>What failed, expected and got.</summary>
    public VerificationError Error { get; }
}

/// <summary>One side broke the protocol, or asked for what the target cannot do.</summary>
public sealed class ProtocolException : Exception
{
    /// <summary>From the error's data.</summary>
    public ProtocolException(VerificationError error, Exception? innerException = null)
        : base(error.ToString(), innerException) => Error = error;

    /// <summary>From its parts.</summary>
    public ProtocolException(VerificationErrorCode code, string text, string expected = "", string got = "")
        : this(new VerificationError(code, text, expected, got))
    {
    }

    /// <summary>What failed, expected and got.</summary>
    public VerificationError Error { get; }

    /// <summary>The prompt leaves no room for an output token.</summary>
    public static ProtocolException PromptTooLong(int contextLength, int promptLength) => new(
        VerificationErrorCode.PromptTooLong,
        "The prompt does not fit the target's context. Shorten it.",
        $"at most {contextLength - 1} tokens",
        $"{promptLength}");
}

/// <summary>The verifier is unreachable, overloaded, leaving or broken; another try may help.</summary>
public sealed class VerifierUnavailableException : Exception
{
    /// <summary>From the error's data.</summary>
    public VerifierUnavailableException(VerificationError error, Exception? innerException = null)
        : base(error.ToString(), innerException) => Error = error;

    /// <summary>What failed, expected and got.</summary>
    public VerificationError Error { get; }

    /// <summary>The server could not be reached, or the connection broke.</summary>
    public static VerifierUnavailableException Unreachable(
        Uri endpoint, TimeSpan elapsed, int attempts, string detail, Exception? cause = null)
    {
        var tries = attempts == 1 ? "1 attempt" : $"{attempts} attempts";
        var text = $"The verifier at {endpoint} cannot be reached or the connection broke after "
            + $"{elapsed.TotalSeconds:0.0} s and {tries} ({detail.TrimEnd('.')}); decoding stopped. "
            + "Check that the server runs and that the address is right.";
        return new(new VerificationError(VerificationErrorCode.Unreachable, text), cause);
    }
}
