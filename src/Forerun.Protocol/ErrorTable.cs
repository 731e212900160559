using Forerun.Core.Decoding;
using Forerun.Protocol.V1;
using Grpc.Core;

namespace Forerun.Protocol;

/// <summary>One row per kind of error: its code in the program, on the wire, and the gRPC status of the call.</summary>
internal static class ErrorTable
{
    public static readonly IReadOnlyList<(VerificationErrorCode Code, ErrorCode Wire, StatusCode Status)> Rows =
    [
        (VerificationErrorCode.Unknown, ErrorCode.Unspecified, StatusCode.Unknown),
        (VerificationErrorCode.UnsupportedVersion, ErrorCode.UnsupportedVersion, StatusCode.Unimplemented),
        (VerificationErrorCode.TokenizerMismatch, ErrorCode.TokenizerMismatch, StatusCode.FailedPrecondition),
        (VerificationErrorCode.ModelMismatch, ErrorCode.ModelMismatch, StatusCode.FailedPrecondition),
        (VerificationErrorCode.NumericsMismatch, ErrorCode.NumericsMismatch, StatusCode.FailedPrecondition),
        (VerificationErrorCode.PromptTooLong, ErrorCode.PromptTooLong, StatusCode.InvalidArgument),
        (VerificationErrorCode.PromptEmpty, ErrorCode.PromptEmpty, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadSampling, ErrorCode.BadSampling, StatusCode.InvalidArgument),
        (VerificationErrorCode.DraftTooLong, ErrorCode.DraftTooLong, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadPosition, ErrorCode.BadPosition, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadRound, ErrorCode.BadRound, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadToken, ErrorCode.BadToken, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadMode, ErrorCode.BadMode, StatusCode.InvalidArgument),
        (VerificationErrorCode.BadMessage, ErrorCode.BadMessage, StatusCode.InvalidArgument),
        (VerificationErrorCode.Overloaded, ErrorCode.Overloaded, StatusCode.ResourceExhausted),
        (VerificationErrorCode.SessionLost, ErrorCode.SessionLost, StatusCode.NotFound),
        (VerificationErrorCode.GoingAway, ErrorCode.GoingAway, StatusCode.Unavailable),
        (VerificationErrorCode.Internal, ErrorCode.Internal, StatusCode.Internal),
        (VerificationErrorCode.Unreachable, ErrorCode.Unreachable, StatusCode.Unavailable),
        (VerificationErrorCode.BadDraftProbs, ErrorCode.BadDraftProbs, StatusCode.InvalidArgument),
    ];

    /// <summary>The gRPC status that ends a call with this error.</summary>
    public static Status ToStatus(VerificationError error) =>
        new(Rows.First(row => row.Code == error.Code).Status, error.ToString());

    /// <summary>The error of a call that ended with a status and no error message.</summary>
    public static VerificationError ToError(Status status) => new(
        status.StatusCode switch
        {
            StatusCode.Unimplemented => VerificationErrorCode.UnsupportedVersion,
            StatusCode.FailedPrecondition => VerificationErrorCode.ModelMismatch,
            StatusCode.InvalidArgument => VerificationErrorCode.BadMessage,
            StatusCode.ResourceExhausted => VerificationErrorCode.Overloaded,
            StatusCode.NotFound => VerificationErrorCode.SessionLost,
            StatusCode.Unavailable or StatusCode.DeadlineExceeded => VerificationErrorCode.Unreachable,
            StatusCode.Internal => VerificationErrorCode.Internal,
            _ => VerificationErrorCode.Unknown,
        },
        status.Detail);

    /// <summary>The error that one of the three exceptions carries; null for any other.</summary>
    public static VerificationError? ErrorOf(Exception exception) => exception switch
    {
        ModelMismatchException mismatch => mismatch.Error,
        ProtocolException protocol => protocol.Error,
        VerifierUnavailableException unavailable => unavailable.Error,
        _ => null,
    };

    public static CloudMessage ToMessage(VerificationError error) => new()
    {
        Error = new Error
        {
            Code = Rows.First(row => row.Code == error.Code).Wire,
            Text = error.Text,
            Expected = error.Expected,
            Got = error.Got,
        },
    };

    /// <summary>The error in a message; a code from a newer version becomes
    /// <see cref="VerificationErrorCode.Unknown"/>.</summary>
    public static VerificationError ToError(Error message) => new(
        Rows.FirstOrDefault(row => row.Wire == message.Code).Code, message.Text, message.Expected, message.Got);
}
