using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Forerun.OpenAI.Wire;

/// <summary>What chat and text completions have in common. Null = not given.</summary>
internal abstract record CompletionRequest
{
    public string? Model { get; init; }

    public int? MaxTokens { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public float? Temperature { get; init; }

    public float? TopP { get; init; }

    public int? TopK { get; init; }

    public float? MinP { get; init; }

    public float? RepetitionPenalty { get; init; }

    public long? Seed { get; init; }

    /// <summary>A string or an array of strings.</summary>
    public JsonElement? Stop { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    /// <summary>Everything else that was sent.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }

    /// <summary>Log probabilities are wanted, and of so many of the likeliest tokens; null = none.</summary>
    [JsonIgnore]
    public abstract int? LikeliestTokens { get; }
}

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed record ChatCompletionRequest : CompletionRequest
{
    public ImmutableArray<RequestMessage>? Messages { get; init; }

    public bool? Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    /// <inheritdoc/>
    public override int? LikeliestTokens => Logprobs == true ? TopLogprobs ?? 0 : null;
}

/// <summary><c>POST /v1/completions</c>.</summary>
internal sealed record TextCompletionRequest : CompletionRequest
{
    /// <summary>A string or an array of one string.</summary>
    public JsonElement? Prompt { get; init; }

    public int? Logprobs { get; init; }

    /// <inheritdoc/>
    public override int? LikeliestTokens => Logprobs;
}

/// <summary>One message of a conversation.</summary>
internal sealed record RequestMessage
{
    public string? Role { get; init; }

    /// <summary>A string or an array of text parts.</summary>
    public JsonElement? Content { get; init; }

    /// <summary>Everything else that was sent.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}

/// <summary>How a stream is written.</summary>
internal sealed record StreamOptions
{
    public bool? IncludeUsage { get; init; }

    public bool? IncludeObfuscation { get; init; }
}
