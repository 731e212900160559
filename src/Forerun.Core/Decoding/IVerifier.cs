namespace Forerun.Core.Decoding;

/// <summary>Verifies drafts against the target: in process, or over the network. Thread-safe.</summary>
public interface IVerifier
{
    /// <summary>What the verifier runs.</summary>
    /// <exception cref="VerifierUnavailableException">The verifier does not answer.</exception>
    ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default);

    /// <summary>Starts one generation. Prefill begins at once; the first draft may be sent before anything is read.
    /// In <see cref="DecodingMode.Autoregressive"/> verdicts come without drafts.</summary>
    /// <exception cref="ModelMismatchException">Edge and target do not share a tokenizer.</exception>
    /// <exception cref="ProtocolException">The request does not fit the target; some verifiers say so on the first
    /// read.</exception>
    ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default);
}

/// <summary>The verification stream of one generation. At most one send and one read at a time. Disposing ends the
/// generation: nothing more is computed for it.</summary>
public interface IVerification : IAsyncDisposable
{
    /// <summary>Bytes of messages so far; zero in process.</summary>
    WireBytes Bytes { get; }

    /// <summary>What a message and its answer take, as little as was lately measured; null = not known.</summary>
    TimeSpan? RoundTripTime => null;

    /// <summary>Sends the draft of the next round.</summary>
    /// <exception cref="ProtocolException">The draft does not follow the last verdict; some verifiers say so on the
    /// next read.</exception>
    ValueTask SendAsync(Draft draft, CancellationToken cancellationToken = default);

    /// <summary>Sends drafts in their order, together where that is cheaper.</summary>
    async ValueTask SendAllAsync(IReadOnlyList<Draft> drafts, CancellationToken cancellationToken = default)
    {
        foreach (var draft in drafts)
        {
            await SendAsync(draft, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets the target decode the rounds up to this one by itself: their verdicts come without drafts, one round
    /// trip in all. Drafts are sent again for the round after.</summary>
    /// <param name="throughRound">The last such round; what was allowed before stays allowed.</param>
    /// <param name="cancellationToken">Gives up sending.</param>
    /// <exception cref="ProtocolException">The mode has no drafts of the edge's; some verifiers say so on the next read.
    /// </exception>
    ValueTask StreamAsync(int throughRound, CancellationToken cancellationToken = default);

    /// <summary>Offers drafts to the streamed rounds: in the first that begins with a text that one agrees with as far as they
    /// overlap, the target verifies what is left of it instead of decoding one token. What is left after that may be verified
    /// in the rounds that follow. Offers may come to nothing, and verifiers that do not know them ignore them.</summary>
    /// <param name="drafts">The drafts, at base positions that the text has reached; their round says nothing.</param>
    /// <param name="draftLength">Most tokens to verify in one round, at least 1.</param>
    /// <param name="cancellationToken">Gives up sending.</param>
    /// <exception cref="ProtocolException">A draft is malformed; some verifiers say so on the next read.</exception>
    ValueTask OfferAsync(IReadOnlyList<Draft> drafts, int draftLength, CancellationToken cancellationToken = default) => ValueTask.CompletedTask;

    /// <summary>Waits for the next event; <see cref="GenerationEnd"/> is the last one.</summary>
    /// <exception cref="ModelMismatchException">Edge and target do not share a tokenizer.</exception>
    /// <exception cref="ProtocolException">One side broke the protocol.</exception>
    /// <exception cref="VerifierUnavailableException">The verifier is gone or overloaded.</exception>
    ValueTask<VerificationEvent> ReadAsync(CancellationToken cancellationToken = default);
}

/// <summary>What a verifier runs.</summary>
/// <param name="TargetId">The target model: name and fingerprint.</param>
/// <param name="TokenizerFingerprint">Token ids are compared only between equal fingerprints.</param>
/// <param name="NumericsId">Servers with the same target and numerics compute the same bits.</param>
/// <param name="ProtocolVersion">The newest protocol version spoken.</param>
/// <param name="ContextLength">Most positions of a sequence, prompt and output together.</param>
/// <param name="MaxDraftLength">Most tokens of one draft.</param>
public sealed record TargetDescription(
    string TargetId,
    string TokenizerFingerprint,
    string NumericsId,
    int ProtocolVersion,
    int ContextLength,
    int MaxDraftLength);

/// <summary>Bytes of one generation's messages, their length prefixes included.</summary>
/// <param name="Up">Edge to cloud.</param>
/// <param name="Down">Cloud to edge.</param>
public readonly record struct WireBytes(long Up, long Down);
