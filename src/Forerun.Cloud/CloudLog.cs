using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>Log events of the cloud. Never a prompt, text or token id.</summary>
internal static partial class CloudLog
{
    [LoggerMessage(1, LogLevel.Information, "Serving '{targetId}' on {addresses}.")]
    public static partial void Serving(ILogger logger, string targetId, string addresses);

    [LoggerMessage(2, LogLevel.Information, "Leaving; {sessionCount} sessions finish their round.")]
    public static partial void Leaving(ILogger logger, int sessionCount);

    [LoggerMessage(3, LogLevel.Debug, "Generation opened: {promptTokens} prompt tokens, mode {mode}.")]
    public static partial void Opened(ILogger logger, int promptTokens, Core.Decoding.DecodingMode mode);

    [LoggerMessage(4, LogLevel.Debug, "Generation ended: {reason}, {outputTokens} output tokens in {rounds} rounds.")]
    public static partial void Ended(
        ILogger logger, Core.Decoding.FinishReason reason, int outputTokens, int rounds);

    [LoggerMessage(5, LogLevel.Debug, "Generation cancelled by the edge after {rounds} rounds.")]
    public static partial void Cancelled(ILogger logger, int rounds);

    [LoggerMessage(6, LogLevel.Information, "Generation refused or broken off: {code}. {text}")]
    public static partial void Failed(ILogger logger, Core.Decoding.VerificationErrorCode code, string text);

    [LoggerMessage(7, LogLevel.Error, "A target pass of {rowCount} rows failed.")]
    public static partial void PassFailed(ILogger logger, int rowCount, Exception exception);

    [LoggerMessage(8, LogLevel.Error, "A generation failed unexpectedly.")]
    public static partial void Broken(ILogger logger, Exception exception);

    [LoggerMessage(9, LogLevel.Error, "The target failed for one session.")]
    public static partial void SessionFailed(ILogger logger, Exception exception);

    [LoggerMessage(11, LogLevel.Error, "An exit failed; nothing was announced.")]
    public static partial void ExitFailed(ILogger logger, Exception exception);

    [LoggerMessage(12, LogLevel.Warning, "A pass of {rowCount} rows took {lateMs:F1} ms longer than on the emulated {profile}: {overruns} of {passes} passes so far.")]
    public static partial void EmulationOverrun(
        ILogger logger, int rowCount, double lateMs, string profile, int overruns, int passes);

    [LoggerMessage(10, LogLevel.Trace, "A target pass of {rowCount} rows, {promptRows} of them of prompts, for {sessionCount} sessions.")]
    public static partial void Pass(ILogger logger, int rowCount, int promptRows, int sessionCount);
}
