using Forerun.Core.Decoding;

namespace Forerun.Edge;

/// <summary>The next event from the target, looked for while something else is done. One user at a time.</summary>
/// <param name="reading">Reads it.</param>
internal sealed class PendingEvent(ValueTask<VerificationEvent> reading)
{
    private Task<VerificationEvent>? _come;
    private bool _isHint;

    /// <summary>It has come, or will never come.</summary>
    public bool HasCome => (_come ??= reading.IsCompleted ? LookAsync() : null) is not null;

    /// <summary>What came is no mere hint: nothing may keep it waiting.</summary>
    public bool IsUrgent => HasCome && !_isHint;

    /// <summary>Waits for it.</summary>
    public Task<VerificationEvent> TakeAsync() => _come ?? LookAsync();

    private async Task<VerificationEvent> LookAsync()
    {
        var come = await reading.ConfigureAwait(false);
        _isHint = come is Announcement;
        return come;
    }
}
