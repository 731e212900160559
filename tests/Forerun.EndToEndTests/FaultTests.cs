using System.Net.Sockets;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Core.Sampling;
using Forerun.Edge;
using Forerun.Protocol;
using Forerun.Protocol.V1;
using Forerun.UnitTests.Cloud;
using Forerun.UnitTests.Edge;
using Grpc.Core;
using Grpc.Net.Client;
using Draft = Forerun.Core.Decoding.Draft;

namespace Forerun.EndToEndTests;

/// <summary>What breaks: a typed error with clear text on the edge, and no session left on the server.</summary>
public class FaultTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    private static readonly GenerationRequest Request = new()
    {
        PromptTokens = TinyModels.Prompt,
        MaxTokens = 0,
        IgnoreEndTokens = true,
    };

    [Fact]
    public async Task Describe_TellsWhatRuns()
    {
        using var verifier = fixture.Connect();
        var description = await verifier.DescribeAsync(Deadline.Token);
        var target = TinyModels.Target;
        Assert.Equal(
            new TargetDescription(target.Id, target.Tokenizer.Fingerprint, target.NumericsId, 2, 2048, 16),
            description);
    }

    [Fact]
    public async Task Complete_WrongTokenizer_TellsBothFingerprints()
    {
        using var verifier = ServerFixture.Connect(fixture.Address, "another");
        var exception = await Assert.ThrowsAsync<ModelMismatchException>(
            () => ServerFixture.CompleteAsync(verifier, Request, new RandomDrafter(1, 600)));
        Assert.Equal(VerificationErrorCode.TokenizerMismatch, exception.Error.Code);
        Assert.EndsWith(
            $"Expected '{TinyModels.Target.Tokenizer.Fingerprint}', got 'another'.",
            exception.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Complete_AnotherTargetThanInsistedOn_IsRefused()
    {
        using var verifier = new GrpcVerifier(new()
        {
            Endpoint = fixture.Address,
            TokenizerFingerprint = TinyModels.Target.Tokenizer.Fingerprint,
            TargetId = "other@1",
            NumericsId = TinyModels.Target.NumericsId,
        });
        var exception = await Assert.ThrowsAsync<ModelMismatchException>(
            () => ServerFixture.CompleteAsync(verifier, Request, new RandomDrafter(1, 600)));
        Assert.Equal(VerificationErrorCode.ModelMismatch, exception.Error.Code);
    }

    [Fact]
    public async Task Complete_BadRequest_HasItsCode()
    {
        await AssertRefusedAsync(
            VerificationErrorCode.PromptTooLong, Request with { PromptTokens = [.. new int[2048]] });
        await AssertRefusedAsync(VerificationErrorCode.BadToken, Request with { PromptTokens = [1, 640] });
        await AssertRefusedAsync(VerificationErrorCode.BadSampling, Request with { Sampling = new() { TopP = 2f } });
    }

    [Theory]
    [InlineData(1, 9, 1, VerificationErrorCode.BadPosition)]
    [InlineData(2, 8, 1, VerificationErrorCode.BadRound)]
    [InlineData(1, 8, 17, VerificationErrorCode.DraftTooLong)]
    public async Task Send_BadDraft_EndsWithItsCode(int round, int position, int length, VerificationErrorCode code)
    {
        using var verifier = fixture.Connect();
        await using var verification = await verifier.OpenAsync(Request, Deadline.Token);
        await verification.SendAsync(new Draft(round, position, [.. new int[length]]), Deadline.Token);
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => verification.ReadAsync(Deadline.Token).AsTask());
        Assert.Equal(code, exception.Error.Code);
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Theory]
    [InlineData(0f, true, "brings draft probabilities")]
    [InlineData(0.8f, false, "lacks draft probabilities")]
    public async Task Send_DraftProbsMissingOrNotAskedFor_EndsWithItsCode(float temperature, bool brings, string text)
    {
        using var verifier = fixture.Connect();
        var request = Request with { Sampling = new() { Temperature = temperature, Acceptance = AcceptanceRule.Rejection } };
        await using var verification = await verifier.OpenAsync(request, Deadline.Token);
        var draft = new Draft(1, 8, [5]) { DraftProbs = brings ? [SparseDistribution.Certain(5)] : [] };
        await verification.SendAsync(draft, Deadline.Token);
        var exception = await Assert.ThrowsAsync<ProtocolException>(() => verification.ReadAsync(Deadline.Token).AsTask());
        Assert.Equal(VerificationErrorCode.BadDraftProbs, exception.Error.Code);
        Assert.Contains(text, exception.Message, StringComparison.Ordinal);
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Fact]
    public async Task Generate_WrongFirstMessageOrVersion_EndsWithErrorAndStatus()
    {
        var cancel = new EdgeMessage { Cancel = new Cancel() };
        await AssertRawAsync(cancel, ErrorCode.BadMessage, StatusCode.InvalidArgument);
        var open = OpenMapping.ToMessage(new Opening
        {
            Request = Request,
            TokenizerFingerprint = TinyModels.Target.Tokenizer.Fingerprint,
            ProtocolVersion = 3,
        });
        await AssertRawAsync(open, ErrorCode.UnsupportedVersion, StatusCode.Unimplemented);
        open.Open.ProtocolVersion = 1;
        open.Open.ResumeToken = Google.Protobuf.ByteString.CopyFrom(1);
        await AssertRawAsync(open, ErrorCode.SessionLost, StatusCode.NotFound);
        open.Open.ResumeToken = Google.Protobuf.ByteString.Empty;
        open.Open.Mode = (Mode)6;
        await AssertRawAsync(open, ErrorCode.BadMode, StatusCode.InvalidArgument);
    }

    [Fact]
    public async Task Generate_GarbageInsideAMessage_IsRefused()
    {
        var method = new Method<byte[], byte[]>(
            MethodType.DuplexStreaming,
            "forerun.v1.Verifier",
            "Generate",
            Marshallers.Create(bytes => bytes, bytes => bytes),
            Marshallers.Create(bytes => bytes, bytes => bytes));
        using var channel = GrpcChannel.ForAddress(fixture.Address);
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(
            method, null, new CallOptions(cancellationToken: Deadline.Token));
        await call.RequestStream.WriteAsync([0xFF, 0x13, 0x00, 0xFF], Deadline.Token);
        Assert.True(await call.ResponseStream.MoveNext(Deadline.Token));
        var error = CloudMessage.Parser.ParseFrom(call.ResponseStream.Current).Error;
        Assert.Equal((ErrorCode.BadMessage, "A message cannot be read."), (error.Code, error.Text));
    }

    [Fact]
    public async Task Generate_HugeMessage_IsRefusedBeforeItIsRead()
    {
        using var verifier = fixture.Connect();
        var huge = Request with { PromptTokens = [.. Enumerable.Repeat(600, 1_000_000)] };
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => ServerFixture.CompleteAsync(verifier, huge, new RandomDrafter(1, 600)));
        Assert.Equal(VerificationErrorCode.Overloaded, exception.Error.Code);
    }

    [Fact]
    public async Task Generate_Cancelled_FreesTheSession()
    {
        using var verifier = fixture.Connect();
        using var cancellation = new CancellationTokenSource();
        var decoder = new EdgeDecoder(verifier, new RandomDrafter(1, 600));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var round in decoder.GenerateAsync(Request, cancellation.Token))
            {
                if (round.Round == 5)
                {
                    await cancellation.CancelAsync();
                }
            }
        });
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Generate_CancelMessageOrHalfClose_FreesTheSession(bool message)
    {
        using var channel = GrpcChannel.ForAddress(fixture.Address);
        using var call = new Verifier.VerifierClient(channel).Generate(cancellationToken: Deadline.Token);
        var open = OpenMapping.ToMessage(new Opening
        {
            Request = Request,
            TokenizerFingerprint = TinyModels.Target.Tokenizer.Fingerprint,
        });
        await call.RequestStream.WriteAsync(open, Deadline.Token);
        await call.RequestStream.WriteAsync(new EdgeMessage { KeepAlive = new KeepAlive() }, Deadline.Token);
        if (message)
        {
            await call.RequestStream.WriteAsync(new EdgeMessage { Cancel = new Cancel() }, Deadline.Token);
        }
        else
        {
            await call.RequestStream.CompleteAsync();
        }

        Assert.True(await call.ResponseStream.MoveNext(Deadline.Token));
        Assert.Equal(CloudMessage.KindOneofCase.Accepted, call.ResponseStream.Current.KindCase);
        Assert.True(await call.ResponseStream.MoveNext(Deadline.Token));
        Assert.Equal(CloudMessage.KindOneofCase.KeepAlive, call.ResponseStream.Current.KindCase);
        Assert.False(await call.ResponseStream.MoveNext(Deadline.Token));
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Fact]
    public async Task Generate_EdgeDisappears_FreesTheSession()
    {
        var verifier = fixture.Connect();
        var verification = await verifier.OpenAsync(
            Request with { Mode = DecodingMode.Autoregressive }, Deadline.Token);
        Assert.IsType<Core.Decoding.Verdict>(await verification.ReadAsync(Deadline.Token));
        verifier.Dispose();
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    [Fact]
    public async Task Garbage_OnThePort_DisturbsNobody()
    {
        using var verifier = fixture.Connect();
        await using var verification = await verifier.OpenAsync(
            Request with { Mode = DecodingMode.Autoregressive, MaxTokens = 40 }, Deadline.Token);
        var random = new Random(1);
        for (var i = 0; i < 10; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(fixture.Address.Host, fixture.Address.Port, Deadline.Token);
            var garbage = new byte[random.Next(1, 5000)];
            random.NextBytes(garbage);
            await client.GetStream().WriteAsync(garbage, Deadline.Token);
        }

        while (await verification.ReadAsync(Deadline.Token) is not GenerationEnd)
        {
        }
    }

    [Fact]
    public async Task Complete_NoServer_TellsTheEndpoint()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var endpoint = new Uri($"http://{listener.LocalEndpoint}");
        listener.Stop();
        using var verifier = ServerFixture.Connect(endpoint);
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => ServerFixture.CompleteAsync(verifier, Request, new RandomDrafter(1, 600)));
        Assert.Contains($"The verifier at {endpoint} cannot be reached", exception.Message, StringComparison.Ordinal);
        exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => verifier.DescribeAsync(Deadline.Token).AsTask());
        Assert.Equal(VerificationErrorCode.Unreachable, exception.Error.Code);
    }

    [Fact]
    public async Task Stop_WithSessions_TellsThemToGo()
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        var verification = await verifier.OpenAsync(Request, Deadline.Token);
        await verification.SendAsync(new Draft(1, 8, []), Deadline.Token);
        Assert.IsType<Core.Decoding.Verdict>(await verification.ReadAsync(Deadline.Token));
        var read = ReadThenLeaveAsync(verification);
        await server.StopAsync(Deadline.Token);
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(() => read);
        Assert.Equal(
            "The server is shutting down; it ended the generation after round 1. Try again at the same address.",
            exception.Message);
        Assert.Equal(0, server.SessionCount);
    }

    [Fact]
    public async Task Complete_ServerFull_IsOverloaded()
    {
        await using var server = await ServerFixture.StartAsync(
            TinyModels.Target, new SchedulerOptions { MaxSessions = 1 });
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        await using var verification = await verifier.OpenAsync(Request, Deadline.Token);
        await verification.SendAsync(new Draft(1, 8, []), Deadline.Token);
        await verification.ReadAsync(Deadline.Token);
        var exception = await Assert.ThrowsAsync<VerifierUnavailableException>(
            () => ServerFixture.CompleteAsync(verifier, Request, new RandomDrafter(1, 600)));
        Assert.Equal(VerificationErrorCode.Overloaded, exception.Error.Code);
    }

    [Fact]
    public async Task Complete_ColocatedWithoutADraftModel_IsRefused()
    {
        await using var server = await ServerFixture.StartAsync(TinyModels.Target);
        using var verifier = ServerFixture.Connect(server.Addresses[0]);
        var exception = await Assert.ThrowsAsync<ProtocolException>(() => ServerFixture.CompleteAsync(
            verifier, Request with { Mode = DecodingMode.Colocated }, drafter: null));
        Assert.Equal(VerificationErrorCode.BadMode, exception.Error.Code);
    }

    private static async Task ReadThenLeaveAsync(IVerification verification)
    {
        await using (verification)
        {
            await verification.ReadAsync(Deadline.Token);
        }
    }

    private async Task AssertRefusedAsync(VerificationErrorCode code, GenerationRequest request)
    {
        using var verifier = fixture.Connect();
        var exception = await Assert.ThrowsAsync<ProtocolException>(
            () => ServerFixture.CompleteAsync(verifier, request, new RandomDrafter(1, 600)));
        Assert.Equal(code, exception.Error.Code);
        await ServerFixture.AssertNoSessionsAsync(fixture.Server);
    }

    private async Task AssertRawAsync(EdgeMessage first, ErrorCode code, StatusCode status)
    {
        using var channel = GrpcChannel.ForAddress(fixture.Address);
        using var call = new Verifier.VerifierClient(channel).Generate(cancellationToken: Deadline.Token);
        await call.RequestStream.WriteAsync(first, Deadline.Token);
        Assert.True(await call.ResponseStream.MoveNext(Deadline.Token));
        Assert.Equal(code, call.ResponseStream.Current.Error.Code);
        Assert.NotEmpty(call.ResponseStream.Current.Error.Text);
        var exception = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(Deadline.Token));
        Assert.Equal(status, exception.StatusCode);
    }
}
