using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Forerun.OpenAI.Wire;

/// <summary>A completion, whole or a piece of a stream.</summary>
internal sealed record Completion
{
    public required string Id { get; init; }

    public required string Object { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public required long Created { get; init; }

    public required string Model { get; init; }

    /// <summary>Equal where the same seed gives the same text.</summary>
    public required string SystemFingerprint { get; init; }

    public required ImmutableArray<Choice> Choices { get; init; }

    public CompletionUsage? Usage { get; init; }

    /// <summary>Set where the draft model alone went on; not OpenAI's.</summary>
    public Degradation? Degraded { get; init; }
}

/// <summary>The text is not wholly the target's.</summary>
/// <param name="TargetTokens">Leading output tokens that are the target's own.</param>
/// <param name="Reason">How the target was lost.</param>
internal sealed record Degradation(int TargetTokens, string Reason);

/// <summary>The text: as a message, as a piece of one, or as text.</summary>
internal sealed record Choice
{
    public int Index { get; init; }

    public ResponseMessage? Message { get; init; }

    public ResponseMessage? Delta { get; init; }

    public string? Text { get; init; }

    /// <summary>Null unless asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public ChoiceLogprobs? Logprobs { get; init; }

    /// <summary><c>stop</c> or <c>length</c>; null until the end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? FinishReason { get; init; }
}

/// <summary>What the assistant says.</summary>
internal sealed record ResponseMessage(string? Role, string? Content);

/// <summary>Tokens of a completion.</summary>
internal sealed record CompletionUsage(int PromptTokens, int CompletionTokens, int TotalTokens);

/// <summary>What is served.</summary>
internal sealed record ModelList(string Object, ImmutableArray<ModelEntry> Data);

/// <summary>A model.</summary>
internal sealed record ModelEntry(string Id, string Object, long Created, string OwnedBy);

/// <summary>Why a request failed.</summary>
internal sealed record ErrorBody(ApiError Error);

/// <summary>An error as OpenAI's clients read it.</summary>
/// <param name="Message">What failed, expected, got, and what to do.</param>
/// <param name="Type">The kind: <c>invalid_request_error</c>, <c>overloaded_error</c> or <c>server_error</c>.</param>
/// <param name="Param">The field at fault; null where there is none.</param>
/// <param name="Code">For programs; may be null.</param>
internal sealed record ApiError(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code);
