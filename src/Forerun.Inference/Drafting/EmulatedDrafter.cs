using Forerun.Core.Decoding;
using Forerun.Core.Emulation;

namespace Forerun.Inference.Drafting;

/// <summary>Another drafter on emulated hardware: the same tokens, each draft step stretched to the profile's time however many
/// branches it has. One generation and one caller at a time.</summary>
/// <param name="drafter">Drafts; owned and disposed by this.</param>
/// <param name="profile">The emulated times.</param>
/// <param name="time">Measures and waits; null = the system's clock.</param>
public sealed class EmulatedDrafter(IDrafter drafter, EmulatedProfile profile, TimeProvider? time = null)
    : IDrafter, IDisposable
{
    /// <summary>Parts of a step, as a model of three layers and a head has: between them it can be interrupted.</summary>
    private const int Parts = 4;

    private readonly EmulatedClock _clock = new(time ?? TimeProvider.System);

    /// <summary>The emulated times.</summary>
    public EmulatedProfile Profile => profile;

    /// <summary>Calls so far that were not interrupted.</summary>
    public int Calls => _clock.Pieces;

    /// <summary>Of these, those whose real work took longer than the profile allows; reading a long prompt may.</summary>
    public int Overruns => _clock.Overruns;

    /// <inheritdoc/>
    public void Begin(GenerationRequest request) => drafter.Begin(request);

    /// <inheritdoc/>
    public int Propose(ReadOnlySpan<int> history, Span<int> destination)
    {
        _clock.Begin();
        var count = drafter.Propose(history, destination);
        End(count);
        return count;
    }

    /// <inheritdoc/>
    public void Extend(ReadOnlySpan<DraftBranch> branches, Func<bool>? isInterrupted = null)
    {
        Span<int> before = stackalloc int[IDrafter.MaxBranches];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(branches.Length, IDrafter.MaxBranches);
        for (var i = 0; i < branches.Length; i++)
        {
            before[i] = branches[i].Count;
        }

        _clock.Begin();
        if (isInterrupted is not null && !WaitForParts(isInterrupted))
        {
            return;
        }

        drafter.Extend(branches);
        var steps = 0;
        for (var i = 0; i < branches.Length; i++)
        {
            steps = Math.Max(steps, branches[i].Count - before[i]);
        }

        End(steps);
    }

    /// <inheritdoc/>
    public bool CanFollow(int token) => drafter.CanFollow(token);

    /// <inheritdoc/>
    public void Dispose()
    {
        (drafter as IDisposable)?.Dispose();
        _clock.Dispose();
    }

    /// <summary>Waits for all parts of a step but the last; false when it was interrupted.</summary>
    private bool WaitForParts(Func<bool> isInterrupted)
    {
        for (var part = 1; part < Parts; part++)
        {
            _clock.WaitUntil(profile.DraftStep * part / Parts);
            if (isInterrupted())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A step that drafted nothing has cost one all the same.</summary>
    private void End(int steps) => _clock.End(profile.DraftStep * Math.Max(1, steps));
}
