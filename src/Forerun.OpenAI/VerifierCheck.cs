using Forerun.Core.Decoding;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Forerun.OpenAI;

/// <summary>Ready means that the verifier answers.</summary>
internal sealed class VerifierCheck(IVerifier verifier) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await verifier.DescribeAsync(cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is VerifierUnavailableException or ProtocolException)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
