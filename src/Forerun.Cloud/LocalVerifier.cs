using Forerun.Core.Decoding;

namespace Forerun.Cloud;

/// <summary>The verifier in this process: the same sessions as over the network, without one. Thread-safe.</summary>
public sealed class LocalVerifier : IVerifier
{
    private readonly VerificationScheduler _scheduler;

    /// <summary>Verifies with this scheduler's target; the caller keeps owning it.</summary>
    /// <param name="scheduler">Runs the target.</param>
    /// <param name="tokenizerFingerprint">Fingerprint of the drafter's tokenizer; null (default) = it is the target's.
    /// </param>
    /// <exception cref="ModelMismatchException">The tokenizers differ.</exception>
    public LocalVerifier(VerificationScheduler scheduler, string? tokenizerFingerprint = null)
    {
        _scheduler = scheduler;
        if (tokenizerFingerprint is not null)
        {
            RequestCheck.CheckFingerprint(tokenizerFingerprint, scheduler.Description);
        }
    }

    /// <inheritdoc/>
    public ValueTask<TargetDescription> DescribeAsync(CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(_scheduler.Description);

    /// <inheritdoc/>
    public ValueTask<IVerification> OpenAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult<IVerification>(_scheduler.Open(request));
    }
}
