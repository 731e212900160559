using Forerun.Core.Decoding;
using Forerun.Inference;
using Forerun.Protocol;

namespace Forerun.Edge.EdgeOnly;

/// <summary>The draft model alone, in the verifier's place: mode <see cref="DecodingMode.EdgeOnly"/> and no other. Its
/// text is the draft model's own, not the target's. Thread-safe.</summary>
/// <param name="model">The draft model; the caller keeps owning it.</param>
public sealed class EdgeOnlyVerifier(LanguageModel model) : IVerifier
{
    private readonly TargetDescription _description = new(
        model.Id,
        model.Tokenizer.Fingerprint,
        model.NumericsId,
        ProtocolConstants.Version,
        model.Config.MaxPositionEmbeddings,
        MaxDraftLength: 0);

    /// <summary>Id of the draft model.</summary>
    public string ModelId => model.Id;

    /// <summary>What runs here: the draft model's id, and its context.</summary>
    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(_description);

    /// <inheritdoc/>
    /// <exception cref="ProtocolException">The mode is another, or the prompt does not fit the draft model.</exception>
    /// <exception cref="ArgumentException">A sampling option or the token limit is out of range.</exception>
    public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (request.Mode != DecodingMode.EdgeOnly)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                "The draft model alone cannot give the target's text. Ask for the mode edge-only, or pass a verifier.",
                "edge-only",
                $"{request.Mode}");
        }

        if (request.TopLogProbabilities is not null)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadSampling,
                "The draft model alone gives no log probabilities: they would not be the target's. Ask for none.");
        }

        var prompt = request.PromptTokens;
        if (prompt.Length >= _description.ContextLength)
        {
            throw ProtocolException.PromptTooLong(_description.ContextLength, prompt.Length);
        }

        foreach (var token in prompt)
        {
            if ((uint)token >= (uint)model.Config.VocabSize)
            {
                throw new ProtocolException(
                    VerificationErrorCode.BadToken,
                    "A prompt token is outside the draft model's vocabulary.",
                    $"0 to {model.Config.VocabSize - 1}",
                    $"{token}");
            }
        }

        request.Sampling.Validate();
        return ValueTask.FromResult<IVerification>(new EdgeOnlyVerification(model, request));
    }
}
