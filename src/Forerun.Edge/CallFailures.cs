using Forerun.Core.Decoding;
using Forerun.Protocol;
using Grpc.Core;

namespace Forerun.Edge;

/// <summary>Turns what ended a call into one of the three exceptions. Made when the call starts.</summary>
internal sealed class CallFailures(Uri endpoint, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>A call that failed without an error message.</summary>
    public Exception ToException(RpcException exception)
    {
        // A cancelled or torn stream has no words of its own: the connection is what broke.
        var error = ErrorTable.ToError(exception.Status);
        var torn = exception.StatusCode is StatusCode.Cancelled or StatusCode.Unavailable
            or StatusCode.DeadlineExceeded or StatusCode.Unknown;
        return torn || exception.Status.DebugException is not null
            ? Unreachable(exception.Status.Detail, exception)
            : error.ToException(exception);
    }

    /// <summary>The connection broke.</summary>
    public VerifierUnavailableException Unreachable(string detail, Exception? cause = null) =>
        VerifierUnavailableException.Unreachable(endpoint, time.GetElapsedTime(_started), attempts: 1, detail, cause);
}
