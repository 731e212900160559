namespace Forerun.UnitTests.Cloud;

/// <summary>Bounds every wait of a test, so that a mistake fails instead of hanging.</summary>
public static class Deadline
{
    /// <summary>A token that is cancelled after a minute.</summary>
    public static CancellationToken Token => new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token;

    /// <summary>A token that is cancelled after ten minutes: for the bundled models.</summary>
    public static CancellationToken Extended => new CancellationTokenSource(TimeSpan.FromMinutes(10)).Token;
}
