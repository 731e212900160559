using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Forerun.OpenAI.Wire;

/// <summary>JSON of requests and responses: snake_case, no reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChatCompletionRequest))]
[JsonSerializable(typeof(TextCompletionRequest))]
[JsonSerializable(typeof(Completion))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelEntry))]
[JsonSerializable(typeof(ErrorBody))]
internal sealed partial class OpenAIJson : JsonSerializerContext;

/// <summary>JSON of answers: letters as they are. Answers are JSON, never part of a page.</summary>
internal static class AnswerJson
{
    /// <summary>How answers are written.</summary>
    public static OpenAIJson Default { get; } = new(new JsonSerializerOptions(OpenAIJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
