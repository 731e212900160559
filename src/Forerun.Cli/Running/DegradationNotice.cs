using Forerun.Edge.Generation;

namespace Forerun.Cli.Running;

/// <summary>Tells, once for an answer, that the draft model alone goes on.</summary>
/// <param name="errors">Where the reason is told.</param>
internal sealed class DegradationNotice(TextWriter errors)
{
    private bool _isTold;

    /// <summary>What stands in the text before this update: a mark where the target's own text ends, else nothing.</summary>
    public string Mark(TextUpdate update)
    {
        if (_isTold || update.Round.Loss is not { } loss)
        {
            return "";
        }

        _isTold = true;
        errors.WriteLine(
            $"forerun: DEGRADED, edge-only: decoding with the target failed: {loss} The draft model alone answers from here on; its text is not the target's.");
        return "[edge-only] ";
    }
}
