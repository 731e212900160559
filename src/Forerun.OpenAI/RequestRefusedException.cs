using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Http;

namespace Forerun.OpenAI;

/// <summary>A request that gets an error as its answer. Never leaves this project.</summary>
internal sealed class RequestRefusedException(int status, ApiError error) : Exception(error.Message)
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>The answer's body.</summary>
    public ApiError Error { get; } = error;

    /// <summary>A request that can never succeed as it is.</summary>
    public static RequestRefusedException Invalid(string message, string? param = null, string? code = null) =>
        new(StatusCodes.Status400BadRequest, new ApiError(message, "invalid_request_error", param, code));
}
