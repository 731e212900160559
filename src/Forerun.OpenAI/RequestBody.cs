using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Http;

namespace Forerun.OpenAI;

/// <summary>Reads a request's JSON.</summary>
internal static class RequestBody
{
    /// <summary>The body as a record.</summary>
    /// <exception cref="RequestRefusedException">It is not JSON, or a field has the wrong type.</exception>
    /// <exception cref="BadHttpRequestException">It is too large or broken off.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (!context.Request.HasJsonContentType())
        {
            // A browser asks before it sends this type to another site, and is not allowed to.
            throw new RequestRefusedException(
                StatusCodes.Status415UnsupportedMediaType,
                new ApiError(
                    "The request has the wrong type: expected the header 'Content-Type: application/json', got "
                    + $"'{context.Request.ContentType}'.",
                    "invalid_request_error",
                    null,
                    "unsupported_media_type"));
        }

        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                .ConfigureAwait(false) ?? throw RequestRefusedException.Invalid("The request body is null: expected an object.");
        }
        catch (JsonException exception)
        {
            throw ToRefusal(exception);
        }
    }

    private static RequestRefusedException ToRefusal(JsonException exception)
    {
        var where = $"at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}";
        var field = exception.Path is { Length: > 2 } path ? path[2..] : null;
        return exception.InnerException is JsonException || field is null
            ? RequestRefusedException.Invalid($"The request body is not valid JSON {where}.", code: "invalid_json")
            : RequestRefusedException.Invalid(
                $"The field '{field}' has a value of the wrong type or range {where}.", field, "invalid_type");
    }
}
