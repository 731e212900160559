using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Inference;
using Forerun.Protocol;

namespace Forerun.Cloud;

/// <summary>What is checked before a session exists. Nothing is allocated for a request that fails.</summary>
internal static class RequestCheck
{
    /// <summary>The edge's own assumptions about version, tokenizer, target and numerics hold.</summary>
    /// <exception cref="ProtocolException">The version is not spoken here.</exception>
    /// <exception cref="ModelMismatchException">Tokenizer, target or numerics differ.</exception>
    /// <exception cref="VerifierUnavailableException">The edge wants to resume a session that is not here.</exception>
    public static void CheckOpening(Opening opening, TargetDescription target)
    {
        if (opening.ProtocolVersion < 1 || opening.ProtocolVersion > target.ProtocolVersion)
        {
            throw new ProtocolException(
                VerificationErrorCode.UnsupportedVersion,
                "Edge and server speak different protocol versions. Update the older of the two.",
                target.ProtocolVersion == 1 ? "version 1" : $"version 1 to {target.ProtocolVersion}",
                $"version {opening.ProtocolVersion}");
        }

        CheckFingerprint(opening.TokenizerFingerprint, target);
        Insist(
            VerificationErrorCode.ModelMismatch,
            "The server runs another target than the edge insists on. Choose another server or target.",
            opening.TargetId,
            target.TargetId);
        Insist(
            VerificationErrorCode.NumericsMismatch,
            "The server computes with other numerics than the edge insists on. Choose another server.",
            opening.NumericsId,
            target.NumericsId);
        if (!opening.ResumeToken.IsEmpty)
        {
            throw new VerifierUnavailableException(new VerificationError(
                VerificationErrorCode.SessionLost,
                "The session to resume is not on this server. Open a new one with the whole history as its prompt."));
        }
    }

    /// <summary>Edge and target share a tokenizer.</summary>
    /// <exception cref="ModelMismatchException">They do not.</exception>
    public static void CheckFingerprint(string fingerprint, TargetDescription target)
    {
        if (fingerprint != target.TokenizerFingerprint)
        {
            throw new ModelMismatchException(new VerificationError(
                VerificationErrorCode.TokenizerMismatch,
                $"Edge and target have different tokenizers, so their token ids cannot be compared. Use a draft model "
                + $"made for '{target.TargetId}', or a server whose target fits the draft model.",
                $"'{target.TokenizerFingerprint}'",
                $"'{fingerprint}'"));
        }
    }

    /// <summary>The request fits the target; its limits.</summary>
    /// <exception cref="ProtocolException">It does not.</exception>
    public static GenerationLimits Check(GenerationRequest request, LanguageModel target)
    {
        var prompt = request.PromptTokens;
        var contextLength = target.Config.MaxPositionEmbeddings;
        if (prompt.IsDefaultOrEmpty)
        {
            throw new ProtocolException(
                VerificationErrorCode.PromptEmpty, "The prompt is empty.", "at least 1 token", "0");
        }

        if (prompt.Length >= contextLength)
        {
            throw ProtocolException.PromptTooLong(contextLength, prompt.Length);
        }

        TokenRange.Check(prompt.AsSpan(), target.Config.VocabSize, "prompt");
        try
        {
            request.Sampling.Validate();
            ArgumentOutOfRangeException.ThrowIfNegative(request.MaxTokens);
            CheckTopLogProbabilities(request.TopLogProbabilities ?? 0);
        }
        catch (ArgumentException exception)
        {
            throw new ProtocolException(VerificationErrorCode.BadSampling, exception.Message);
        }

        return new GenerationLimits(
            contextLength, prompt.Length, request.MaxTokens, request.IgnoreEndTokens ? [] : target.Tokenizer.EndTokens);
    }

    /// <summary>The mode can be served.</summary>
    /// <exception cref="ProtocolException">There is no draft model for it, or its drafts would be too long.</exception>
    public static void CheckMode(GenerationRequest request, bool hasDraftModel, int maxDraftLength)
    {
        if (request.Mode == DecodingMode.EdgeOnly)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                "The mode edge-only is the draft model alone; a target has no part in it. Choose another mode.",
                "a mode with a target",
                "edge-only");
        }

        if (request.Mode == DecodingMode.Colocated && !hasDraftModel)
        {
            throw new ProtocolException(
                VerificationErrorCode.BadMode,
                "This server has no draft model, so it cannot decode in colocated mode. Choose another mode, or start the "
                + "server with a draft model.",
                "autoregressive or speculative",
                "colocated");
        }

        if (request.DraftLength < 0 || request.DraftLength > maxDraftLength)
        {
            throw new ProtocolException(
                VerificationErrorCode.DraftTooLong,
                "The draft length is out of range. Draft fewer tokens.",
                $"0 to {maxDraftLength}",
                $"{request.DraftLength}");
        }
    }

    private static void CheckTopLogProbabilities(int top)
    {
        if (top is < 0 or > LogProbabilities.MaxTop)
        {
            throw new ArgumentException(
                $"The likeliest tokens asked for are out of range: expected 0 to {LogProbabilities.MaxTop}, got {top}.");
        }
    }

    private static void Insist(VerificationErrorCode code, string text, string expected, string actual)
    {
        if (expected.Length > 0 && expected != actual)
        {
            throw new ModelMismatchException(new VerificationError(code, text, $"'{expected}'", $"'{actual}'"));
        }
    }
}
