using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Http;

namespace Forerun.OpenAI;

/// <summary>Writes JSON: as a whole answer, or as one server-sent event.</summary>
internal static class Json
{
    /// <summary>A whole answer.</summary>
    public static async Task WriteAsync<T>(HttpContext context, int status, T body, JsonTypeInfo<T> type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted).ConfigureAwait(false);
    }

    /// <summary>One event. JSON of ours has no line breaks.</summary>
    public static async Task WriteEventAsync(HttpResponse response, byte[] data, CancellationToken cancellationToken) =>
        await response.Body.WriteAsync((byte[])[.. "data: "u8, .. data, .. "\n\n"u8], cancellationToken).ConfigureAwait(false);

    /// <summary>An error: as the answer, or as an event where the answer is under way.</summary>
    public static Task WriteErrorAsync(HttpContext context, RequestRefusedException refusal)
    {
        var body = new ErrorBody(refusal.Error);
        if (context.Response.HasStarted)
        {
            return WriteEventAsync(
                context.Response,
                JsonSerializer.SerializeToUtf8Bytes(body, AnswerJson.Default.ErrorBody),
                context.RequestAborted);
        }

        if (refusal.Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Response.Headers.RetryAfter = "1";
        }

        return WriteAsync(context, refusal.Status, body, AnswerJson.Default.ErrorBody);
    }
}
