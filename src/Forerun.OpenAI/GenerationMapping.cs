using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge.Generation;
using Forerun.OpenAI.Wire;

namespace Forerun.OpenAI;

/// <summary>From a completion request to a generation request. What is not given has OpenAI's default.</summary>
internal static class GenerationMapping
{
    /// <summary>What to generate.</summary>
    /// <param name="request">What was sent.</param>
    /// <param name="promptTokens">Its prompt.</param>
    /// <param name="defaultMaxTokens">Most output tokens where none are given; 0 = until the context is full.</param>
    /// <exception cref="RequestRefusedException">A parameter is out of range.</exception>
    public static GenerationRequest ToRequest(
        CompletionRequest request, ImmutableArray<int> promptTokens, int defaultMaxTokens) => new()
        {
            PromptTokens = promptTokens,
            MaxTokens = MaxTokens(request) ?? defaultMaxTokens,
            Sampling = Sampling(request),
            TopLogProbabilities = TopLogProbabilities(request),
        };

    private static int? TopLogProbabilities(CompletionRequest request)
    {
        if (request is ChatCompletionRequest { TopLogprobs: not null, Logprobs: not true })
        {
            throw RequestRefusedException.Invalid(
                "The field 'top_logprobs' is only allowed with 'logprobs': true.", "top_logprobs");
        }

        var name = request is ChatCompletionRequest ? "top_logprobs" : "logprobs";
        return request.LikeliestTokens is not (< 0 or > LogProbabilities.MaxTop)
            ? request.LikeliestTokens
            : throw RequestRefusedException.Invalid(
                $"The field '{name}' is out of range: expected 0 to {LogProbabilities.MaxTop}, got {request.LikeliestTokens}.",
                name);
    }

    private static int? MaxTokens(CompletionRequest request)
    {
        var given = request.MaxCompletionTokens ?? request.MaxTokens;
        var name = request.MaxCompletionTokens is null ? "max_tokens" : "max_completion_tokens";
        return given is null or > 0
            ? given
            : throw RequestRefusedException.Invalid(
                $"The field '{name}' is out of range: expected 1 or more, got {given}.", name, "integer_below_min_value");
    }

    private static SamplingOptions Sampling(CompletionRequest request)
    {
        var sampling = new SamplingOptions
        {
            Temperature = request.Temperature ?? 1,
            TopP = request.TopP ?? 1,
            TopK = request.TopK ?? 0,
            MinP = request.MinP ?? 0,
            RepetitionPenalty = request.RepetitionPenalty ?? 1,
            Seed = request.Seed is { } seed ? unchecked((ulong)seed) : NoiseSeed.Fresh(),
        };
        try
        {
            sampling.Validate();
            return sampling;
        }
        catch (ArgumentException exception)
        {
            throw RequestRefusedException.Invalid(exception.Message);
        }
    }
}
