namespace Forerun.Core.Decoding;

/// <summary>What went wrong, as data: it travels over the wire and comes out as one of the three exceptions.</summary>
/// <param name="Code">The kind of error.</param>
/// <param name="Text">What failed and what to do: whole sentences.</param>
/// <param name="Expected">What would have been right; may be empty.</param>
/// <param name="Got">What came instead; may be empty.</param>
public sealed record VerificationError(VerificationErrorCode Code, string Text, string Expected = "", string Got = "")
{
    /// <summary>The exception for this error: <see cref="ModelMismatchException"/> where edge and target do not fit,
    /// <see cref="VerifierUnavailableException"/> where another try may help, else <see cref="ProtocolException"/>.
    /// </summary>
    public Exception ToException(Exception? cause = null) => Code switch
    {
        VerificationErrorCode.TokenizerMismatch or VerificationErrorCode.ModelMismatch
            or VerificationErrorCode.NumericsMismatch => new ModelMismatchException(this, cause),
        VerificationErrorCode.Overloaded or VerificationErrorCode.SessionLost or VerificationErrorCode.GoingAway
            or VerificationErrorCode.Internal or VerificationErrorCode.Unreachable
            => new VerifierUnavailableException(this, cause),
        _ => new ProtocolException(this, cause),
    };

    /// <summary>The sentence a person reads: the text, then expected and got where there are any.</summary>
    public override string ToString() => (Expected, Got) switch
    {
        ("", "") => Text,
        (_, "") => $"{Text} Expected {Expected}.",
        ("", _) => $"{Text} Got {Got}.",
        _ => $"{Text} Expected {Expected}, got {Got}.",
    };
}

/// <summary>The kinds of verification errors.</summary>
public enum VerificationErrorCode
{
    /// <summary>A code that this version does not know.</summary>
    Unknown,

    /// <summary>The peer speaks another protocol version.</summary>
    UnsupportedVersion,

    /// <summary>Edge and target have different tokenizers.</summary>
    TokenizerMismatch,

    /// <summary>The server runs another target than the edge insists on.</summary>
    ModelMismatch,

    /// <summary>The server computes with other numerics than the edge insists on.</summary>
    NumericsMismatch,

    /// <summary>The prompt does not fit the context.</summary>
    PromptTooLong,

    /// <summary>The prompt has no tokens.</summary>
    PromptEmpty,

    /// <summary>A sampling option or limit is out of range.</summary>
    BadSampling,

    /// <summary>The draft has too many tokens.</summary>
    DraftTooLong,

    /// <summary>The draft's base position is not the committed length.</summary>
    BadPosition,

    /// <summary>The draft's round is not the next round.</summary>
    BadRound,

    /// <summary>A token id is outside the vocabulary.</summary>
    BadToken,

    /// <summary>The decoding mode is unknown, or the message does not belong to it.</summary>
    BadMode,

    /// <summary>A message came at the wrong time or cannot be read.</summary>
    BadMessage,

    /// <summary>The server has no room for another session.</summary>
    Overloaded,

    /// <summary>The server does not know the session that was to be resumed.</summary>
    SessionLost,

    /// <summary>The server is shutting down.</summary>
    GoingAway,

    /// <summary>The server failed.</summary>
    Internal,

    /// <summary>The server cannot be reached, or the connection broke.</summary>
    Unreachable,

    /// <summary>The distribution that a draft token was drawn from is missing, malformed, or not asked for.</summary>
    BadDraftProbs,
}
