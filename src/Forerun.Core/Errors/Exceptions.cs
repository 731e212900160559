using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Forerun.Core.Errors;

/// <summary>Draft model and target do not fit together.</summary>
/// <param name="message">What differs, and what to do.</param>
public sealed class ModelMismatchException(string message) : Exception(message)
{
    /// <summary>Throws because the token ids of the two models mean different things.</summary>
    /// <param name="draftVocabSize">Vocabulary size of the draft model's tokenizer.</param>
    /// <param name="draftFingerprint">Fingerprint of the draft model's tokenizer.</param>
    /// <param name="targetVocabSize">Vocabulary size of the target's tokenizer.</param>
    /// <param name="targetFingerprint">Fingerprint of the target's tokenizer.</param>
    [DoesNotReturn]
    public static void Throw(
        int draftVocabSize, string draftFingerprint, int targetVocabSize, string targetFingerprint) =>
        throw new ModelMismatchException(
            "Draft model and target must share one tokenizer: the draft model has "
            + $"{draftVocabSize} tokens with fingerprint \"{draftFingerprint}\", the target {targetVocabSize} tokens "
            + $"with fingerprint \"{targetFingerprint}\". Change the draft model to one made for this target.");
}

/// <summary>The peer sent what the protocol does not allow.</summary>
/// <param name="message">Field, round, expected, got, and what to do.</param>
public sealed class ProtocolException(string message) : Exception(message)
{
    /// <summary>Throws because a field of a message is wrong.</summary>
    /// <param name="field">Name of the field on the wire.</param>
    /// <param name="round">Number of the round; 0 before the first.</param>
    /// <param name="expected">What the protocol allows, as the end of "must be …".</param>
    /// <param name="got">What came.</param>
    [DoesNotReturn]
    public static void Throw(string field, int round, string expected, string got) =>
        throw new ProtocolException(
            $"The peer broke the protocol {(round == 0 ? "before the first round" : $"in round {round}")}: field "
            + $"\"{field}\" must be {expected}, got {got}. Run the same version of Forerun on both sides.");
}

/// <summary>The verifier cannot be reached, or stopped answering.</summary>
/// <param name="message">Endpoint, elapsed time, attempts, and what happens now.</param>
/// <param name="innerException">The last failure; null when the verifier kept silent.</param>
public sealed class VerifierUnavailableException(string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>Throws because all attempts failed.</summary>
    /// <param name="endpoint">Address of the verifier.</param>
    /// <param name="elapsed">Time since the first attempt.</param>
    /// <param name="attempts">Number of attempts, 1 or more.</param>
    /// <param name="continuesEdgeOnly">Whether decoding goes on with the draft model alone, or stopped.</param>
    /// <param name="innerException">The last failure, if there is one.</param>
    [DoesNotReturn]
    public static void Throw(
        string endpoint, TimeSpan elapsed, int attempts, bool continuesEdgeOnly, Exception? innerException = null)
    {
        var seconds = elapsed.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        throw new VerifierUnavailableException(
            $"The verifier at \"{endpoint}\" must answer, but {(attempts == 1 ? "1 attempt" : $"{attempts} attempts")} "
            + $"in {seconds} s failed. "
            + (continuesEdgeOnly
                ? "Decoding continued with the draft model alone (edge-only)."
                : "Decoding stopped. Check the address and that the server is running, then try again."),
            innerException);
    }
}
