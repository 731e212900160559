using Microsoft.Extensions.Logging;

namespace Forerun.OpenAI;

/// <summary>Log events of the HTTP endpoints. Never a prompt, text or token id.</summary>
internal static partial class OpenAILog
{
    [LoggerMessage(101, LogLevel.Information, "OpenAI-compatible HTTP on {addresses}, model '{targetId}'.")]
    public static partial void Serving(ILogger logger, string addresses, string targetId);

    [LoggerMessage(102, LogLevel.Debug, "Completion: {promptTokens} prompt tokens, stream {stream}.")]
    public static partial void Started(ILogger logger, int promptTokens, bool stream);

    [LoggerMessage(103, LogLevel.Debug, "The client went away.")]
    public static partial void Disconnected(ILogger logger);

    [LoggerMessage(104, LogLevel.Information, "Request refused: status {status}, code {code}.")]
    public static partial void Refused(ILogger logger, int status, string? code);

    [LoggerMessage(106, LogLevel.Warning, "Degraded, edge-only: the draft model alone goes on after {targetTokens} tokens. {reason}")]
    public static partial void Degraded(ILogger logger, int targetTokens, string reason);

    [LoggerMessage(105, LogLevel.Error, "A request failed unexpectedly.")]
    public static partial void Broken(ILogger logger, Exception exception);
}
