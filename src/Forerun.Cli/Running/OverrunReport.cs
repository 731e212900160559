using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference.Drafting;

namespace Forerun.Cli.Running;

/// <summary>Where this machine was slower than the hardware it emulates: there the times are its own.</summary>
/// <param name="DraftSteps">Draft steps.</param>
/// <param name="LateDraftSteps">Of these, those that took longer than the profile's.</param>
/// <param name="Verifications">Rounds after the first; none in mode colocated, whose verdicts' times hold the server's drafting.
/// </param>
/// <param name="LateVerifications">Of these, those whose passes took longer than the profile's.</param>
internal sealed record OverrunReport(int DraftSteps, int LateDraftSteps, int Verifications, int LateVerifications)
{
    /// <summary>The verdict's time is rounded on the wire, and a wait ends a little late.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(1);

    /// <summary>A drafter's counts until now.</summary>
    public static OverrunReport Of(EmulatedDrafter drafter) => new(drafter.Calls, drafter.Overruns, 0, 0);

    /// <summary>What came since <paramref name="before"/>, with the rounds of the generation.</summary>
    public static OverrunReport Since(
        OverrunReport before, EmulatedDrafter drafter, DecodingMode mode, IReadOnlyList<DecodedRound> rounds)
    {
        // The first verdict's time holds the prompt's passes.
        var timed = mode == DecodingMode.Colocated ? [] : rounds.Skip(1).ToArray();
        var limit = drafter.Profile.Verification + Tolerance;
        return new OverrunReport(
            drafter.Calls - before.DraftSteps,
            drafter.Overruns - before.LateDraftSteps,
            timed.Length,
            timed.Count(round => round.ServerTimings.Compute > limit));
    }

    /// <summary>Both together.</summary>
    public static OverrunReport operator +(OverrunReport a, OverrunReport b) => new(
        a.DraftSteps + b.DraftSteps,
        a.LateDraftSteps + b.LateDraftSteps,
        a.Verifications + b.Verifications,
        a.LateVerifications + b.LateVerifications);

    /// <summary>For people.</summary>
    public string Describe() =>
        $"{LateDraftSteps} of {DraftSteps} draft steps and {LateVerifications} of {Verifications} verifications slower than emulated";
}
