using Forerun.Core.Decoding;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Grpc.Core;

namespace Forerun.UnitTests.Protocol;

/// <summary>Error ↔ wire ↔ status ↔ exception, both ways.</summary>
public class ErrorTableTests
{
    [Fact]
    public void Rows_CoverEveryCodeOnce()
    {
        Assert.Equal(Enum.GetValues<VerificationErrorCode>(), ErrorTable.Rows.Select(row => row.Code));
        Assert.Equal(Enum.GetValues<ErrorCode>().Order(), ErrorTable.Rows.Select(row => row.Wire).Order());
    }

    [Fact]
    public void Error_OverTheWire_IsTheSame()
    {
        foreach (var code in Enum.GetValues<VerificationErrorCode>())
        {
            var error = new VerificationError(code, "It failed.", "this", "that");
            Assert.Equal(error, ErrorTable.ToError(ErrorTable.ToMessage(error).Error));
        }
    }

    [Fact]
    public void Error_AsException_KeepsItsData()
    {
        foreach (var code in Enum.GetValues<VerificationErrorCode>())
        {
            var error = new VerificationError(code, "It failed.", "this", "that");
            var exception = error.ToException();
            Assert.Same(error, ErrorTable.ErrorOf(exception));
            Assert.Equal("It failed. Expected this, got that.", exception.Message);
        }

        Assert.Null(ErrorTable.ErrorOf(new InvalidOperationException()));
    }

    [Theory]
    [InlineData(VerificationErrorCode.TokenizerMismatch, typeof(ModelMismatchException))]
    [InlineData(VerificationErrorCode.NumericsMismatch, typeof(ModelMismatchException))]
    [InlineData(VerificationErrorCode.Overloaded, typeof(VerifierUnavailableException))]
    [InlineData(VerificationErrorCode.SessionLost, typeof(VerifierUnavailableException))]
    [InlineData(VerificationErrorCode.BadPosition, typeof(ProtocolException))]
    [InlineData(VerificationErrorCode.Unknown, typeof(ProtocolException))]
    public void ToException_Code_DecidesTheType(VerificationErrorCode code, Type type) =>
        Assert.IsType(type, new VerificationError(code, "It failed.").ToException());

    [Fact]
    public void Status_ThereAndBack_KeepsTheKindOfException()
    {
        foreach (var (code, _, status) in ErrorTable.Rows)
        {
            var sent = ErrorTable.ToStatus(new VerificationError(code, "It failed."));
            var received = ErrorTable.ToError(sent);
            Assert.Equal(status, sent.StatusCode);
            Assert.Equal("It failed.", received.Text);
            Assert.IsType(new VerificationError(code, "").ToException().GetType(), received.ToException());
        }
    }

    [Theory]
    [InlineData(StatusCode.Unavailable, VerificationErrorCode.Unreachable)]
    [InlineData(StatusCode.DeadlineExceeded, VerificationErrorCode.Unreachable)]
    [InlineData(StatusCode.ResourceExhausted, VerificationErrorCode.Overloaded)]
    [InlineData(StatusCode.DataLoss, VerificationErrorCode.Unknown)]
    public void ToError_BareStatus_HasACode(StatusCode status, VerificationErrorCode code) =>
        Assert.Equal(code, ErrorTable.ToError(new Status(status, "")).Code);

    [Fact]
    public void ToError_CodeOfANewerVersion_IsUnknown() => Assert.Equal(
        VerificationErrorCode.Unknown, ErrorTable.ToError(new Error { Code = (ErrorCode)99, Text = "New." }).Code);

    [Fact]
    public void Unreachable_Message_TellsEndpointTimeAndAttempts() => Assert.Equal(
        "The verifier at http://cloud:1/ cannot be reached or the connection broke after 2.5 s and 1 attempt "
        + "(refused); decoding stopped. Check that the server runs and that the address is right.",
        VerifierUnavailableException.Unreachable(
            new Uri("http://cloud:1"), TimeSpan.FromSeconds(2.5), 1, "refused.").Message);
}
