using Forerun.Core.Decoding;
using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Http;

namespace Forerun.OpenAI;

/// <summary>From what was thrown to status and error.</summary>
internal static class ErrorMapping
{
    private const string ServerError = "server_error";

    /// <summary>The answer for an exception; null for a mistake of the program.</summary>
    public static RequestRefusedException? Find(Exception exception) => exception switch
    {
        RequestRefusedException refused => refused,
        BadHttpRequestException bad => OfBody(bad),
        ProtocolException { Error.Code: VerificationErrorCode.PromptTooLong } tooLong =>
            RequestRefusedException.Invalid(tooLong.Message, code: "context_length_exceeded"),
        ProtocolException { Error.Code: VerificationErrorCode.PromptEmpty or VerificationErrorCode.BadSampling } wrong =>
            RequestRefusedException.Invalid(wrong.Message),
        ProtocolException or ModelMismatchException => new(
            StatusCodes.Status502BadGateway, new ApiError(exception.Message, ServerError, null, "bad_verifier")),
        VerifierUnavailableException { Error.Code: VerificationErrorCode.Overloaded } => new(
            StatusCodes.Status503ServiceUnavailable,
            new ApiError(exception.Message, "overloaded_error", null, "overloaded")),
        VerifierUnavailableException => new(
            StatusCodes.Status503ServiceUnavailable, new ApiError(exception.Message, ServerError, null, "unavailable")),
        _ => null,
    };

    /// <summary>The answer for a mistake of the program: its log tells more than its answer.</summary>
    public static RequestRefusedException Internal() => new(
        StatusCodes.Status500InternalServerError,
        new ApiError("The server failed; its log tells why.", ServerError, null, "internal_error"));

    /// <summary>The answer where no endpoint took the request: status 404 or 405.</summary>
    public static RequestRefusedException OfRoute(int status, HttpRequest request) => new(
        status,
        new ApiError(
            status == StatusCodes.Status405MethodNotAllowed
                ? $"The method {request.Method} is not allowed for {request.Path}. Completions take POST, the rest GET."
                : $"There is no {request.Method} {request.Path} here. There are POST /v1/chat/completions, "
                    + "POST /v1/completions, GET /v1/models, GET /health/live and GET /health/ready.",
            "invalid_request_error",
            null,
            status == StatusCodes.Status405MethodNotAllowed ? "method_not_allowed" : "unknown_url"));

    private static RequestRefusedException OfBody(BadHttpRequestException exception) => new(
        exception.StatusCode,
        new ApiError(
            exception.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? "The request body is too large for this server. Send a shorter prompt."
                : $"The request cannot be read: {exception.Message}",
            "invalid_request_error",
            null,
            exception.StatusCode == StatusCodes.Status413PayloadTooLarge ? "body_too_large" : null));
}
