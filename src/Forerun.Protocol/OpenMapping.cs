using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Protocol.V1;
using Google.Protobuf;

namespace Forerun.Protocol;

/// <summary>The first message of a stream, to and from the wire.</summary>
internal static class OpenMapping
{
    public static EdgeMessage ToMessage(Opening opening)
    {
        var request = opening.Request;
        var open = new Open
        {
            ProtocolVersion = (uint)opening.ProtocolVersion,
            TargetId = opening.TargetId,
            TokenizerFingerprint = opening.TokenizerFingerprint,
            NumericsId = opening.NumericsId,
            Prompt = new Prompt(),
            Sampling = ToMessage(request.Sampling),
            MaxTokens = (uint)request.MaxTokens,
            Mode = ToMessage(request.Mode),
            IgnoreEndTokens = request.IgnoreEndTokens,
            ResumeToken = ByteString.CopyFrom(opening.ResumeToken.Span),
            LastSeenRound = (uint)opening.LastSeenRound,
            DraftLength = (uint)request.DraftLength,
        };
        if (request.TopLogProbabilities is { } top)
        {
            open.TopLogprobs = (uint)top;
        }

        WireNumbers.AddTokens(open.Prompt.Tokens, request.PromptTokens);
        return new EdgeMessage { Open = open };
    }

    /// <exception cref="ProtocolException">A value does not fit, or the mode is unknown.</exception>
    public static Opening ToOpening(Open open) => new()
    {
        ProtocolVersion = WireNumbers.ToInt(open.ProtocolVersion, "protocol_version"),
        TargetId = open.TargetId,
        TokenizerFingerprint = open.TokenizerFingerprint,
        NumericsId = open.NumericsId,
        ResumeToken = open.ResumeToken.Memory,
        LastSeenRound = WireNumbers.ToInt(open.LastSeenRound, "last_seen_round"),
        Request = new GenerationRequest
        {
            PromptTokens = open.Prompt is null ? [] : WireNumbers.ToTokens(open.Prompt.Tokens),
            Sampling = ToOptions(open.Sampling ?? new V1.Sampling()),
            MaxTokens = WireNumbers.ToInt(open.MaxTokens, "max_tokens"),
            Mode = ToMode(open.Mode),
            IgnoreEndTokens = open.IgnoreEndTokens,
            DraftLength = WireNumbers.ToInt(open.DraftLength, "draft_length"),
            TopLogProbabilities = open.HasTopLogprobs ? WireNumbers.ToInt(open.TopLogprobs, "top_logprobs") : null,
        },
    };

    private static V1.Sampling ToMessage(SamplingOptions options)
    {
        var defaults = SamplingOptions.Default;
        var message = new V1.Sampling
        {
            Temperature = options.Temperature,
            TopK = (uint)options.TopK,
            MinP = options.MinP,
            Seed = options.Seed,
            Acceptance = ToMessage(options.Acceptance),
        };
        if (options.TopP != defaults.TopP)
        {
            message.TopP = options.TopP;
        }

        if (options.RepetitionPenalty != defaults.RepetitionPenalty)
        {
            message.RepetitionPenalty = options.RepetitionPenalty;
        }

        if (options.RepetitionWindow != defaults.RepetitionWindow)
        {
            message.RepetitionWindow = (uint)options.RepetitionWindow;
        }

        return message;
    }

    private static SamplingOptions ToOptions(V1.Sampling message)
    {
        var defaults = SamplingOptions.Default;
        return new SamplingOptions
        {
            Temperature = message.Temperature,
            TopK = WireNumbers.ToInt(message.TopK, "top_k"),
            TopP = message.HasTopP ? message.TopP : defaults.TopP,
            MinP = message.MinP,
            RepetitionPenalty = message.HasRepetitionPenalty ? message.RepetitionPenalty : defaults.RepetitionPenalty,
            RepetitionWindow = message.HasRepetitionWindow
                ? WireNumbers.ToInt(message.RepetitionWindow, "repetition_window")
                : defaults.RepetitionWindow,
            Seed = message.Seed,
            Acceptance = ToRule(message.Acceptance),
        };
    }

    private static V1.Acceptance ToMessage(AcceptanceRule rule) =>
        rule == AcceptanceRule.Rejection ? V1.Acceptance.Rejection : V1.Acceptance.SharedNoise;

    private static AcceptanceRule ToRule(V1.Acceptance rule) => rule switch
    {
        V1.Acceptance.SharedNoise => AcceptanceRule.SharedNoise,
        V1.Acceptance.Rejection => AcceptanceRule.Rejection,
        _ => throw new ProtocolException(
            VerificationErrorCode.BadSampling,
            "The server does not know this rule of acceptance. Choose another one or update the server.",
            "shared noise (0) or rejection (1)",
            $"{(int)rule}"),
    };

    private static Mode ToMessage(DecodingMode mode) => mode switch
    {
        DecodingMode.Autoregressive => Mode.Autoregressive,
        DecodingMode.Speculative => Mode.Speculative,
        DecodingMode.Preemptive => Mode.Preemptive,
        DecodingMode.Pipelined => Mode.Pipelined,
        DecodingMode.Colocated => Mode.Colocated,
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, "This mode has no name on the wire."),
    };

    private static DecodingMode ToMode(Mode mode) => mode switch
    {
        Mode.Autoregressive => DecodingMode.Autoregressive,
        Mode.Speculative => DecodingMode.Speculative,
        Mode.Colocated => DecodingMode.Colocated,
        Mode.Preemptive => DecodingMode.Preemptive,
        Mode.Pipelined => DecodingMode.Pipelined,
        _ => throw new ProtocolException(
            VerificationErrorCode.BadMode,
            "The server does not know this decoding mode. Choose another mode or update the server.",
            "autoregressive (1), speculative (2), colocated (3), preemptive (4) or pipelined (5)",
            $"{(int)mode}"),
    };
}
