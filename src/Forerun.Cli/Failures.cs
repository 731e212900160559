using Forerun.Core.Decoding;

namespace Forerun.Cli;

/// <summary>Turns what can go wrong into one sentence on standard error and an exit code.</summary>
internal static class Failures
{
    /// <summary>Runs a command. Mistakes of the user and of the world are told; mistakes of the program are not hidden.
    /// </summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Cancelled.");
            return ExitCodes.Cancelled;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            await Console.Error.WriteLineAsync($"forerun: {exception.Message}");
            return ExitCodes.Failure;
        }
    }

    /// <summary>What the user or the world did; all else is a mistake of the program.</summary>
    public static bool IsExpected(Exception exception) => exception is
        IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException
        or PlatformNotSupportedException or InvalidOperationException
        or ModelMismatchException or ProtocolException or VerifierUnavailableException;
}
