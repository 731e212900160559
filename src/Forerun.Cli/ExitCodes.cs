namespace Forerun.Cli;

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    /// <summary>Everything done.</summary>
    public const int Success = 0;

    /// <summary>Something failed; standard error says what.</summary>
    public const int Failure = 1;

    /// <summary>The command line could not be understood.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl+C.</summary>
    public const int Cancelled = 130;
}
