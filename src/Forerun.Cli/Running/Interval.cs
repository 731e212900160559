namespace Forerun.Cli.Running;

/// <summary>Where a figure lies with a chance of at least 95 %, as far as the sample tells.</summary>
/// <param name="Low">Not below.</param>
/// <param name="High">Not above.</param>
internal sealed record Interval(double Low, double High);
