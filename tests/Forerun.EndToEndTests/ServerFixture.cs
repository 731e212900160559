using System.Collections.Concurrent;
using System.Collections.Immutable;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;
using Forerun.Inference.Drafting;
using Forerun.UnitTests.Cloud;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Forerun.EndToEndTests;

/// <summary>A server with the tiny target on a free port. Fails at its end if an error was logged or a session is
/// left.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly ErrorLog _log = new();
    private ForerunServer? _server;

    public static int VocabSize => TinyModels.Target.Config.VocabSize;

    public ForerunServer Server => _server!;

    public Uri Address => Server.Addresses[0];

    public static async Task<ForerunServer> StartAsync(LanguageModel target, SchedulerOptions? options = null) =>
        await ForerunServer.StartAsync(
            target,
            new() { Urls = ["http://127.0.0.1:0"], Scheduler = options ?? SchedulerOptions.Default },
            Deadline.Token);

    public static GrpcVerifier Connect(Uri address, string? fingerprint = null) => new(new()
    {
        Endpoint = address,
        TokenizerFingerprint = fingerprint ?? TinyModels.Target.Tokenizer.Fingerprint,
    });

    public GrpcVerifier Connect() => Connect(Address);

    public static async Task<ImmutableArray<int>> CompleteAsync(
        IVerifier verifier, GenerationRequest request, IDrafter? drafter, int draftLength = 4) =>
        (await new EdgeDecoder(verifier, drafter, new() { DraftLength = draftLength })
            .CompleteAsync(request, Deadline.Token)).Tokens;

    /// <summary>Waits until the server holds no session any more.</summary>
    public static async Task AssertNoSessionsAsync(ForerunServer server)
    {
        var deadline = Deadline.Token;
        while (server.SessionCount > 0)
        {
            deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask InitializeAsync() => _server = await ForerunServer.StartAsync(
        TinyModels.Target,
        new()
        {
            Urls = ["http://127.0.0.1:0"],
            DraftModel = TinyModels.Draft,
            ConfigureLogging = logging => logging.AddProvider(_log),
        },
        Deadline.Token);

    public async ValueTask DisposeAsync()
    {
        await AssertNoSessionsAsync(Server);
        await Server.DisposeAsync();
        Assert.True(_log.Errors.IsEmpty, string.Join("\n", _log.Errors));
    }

    /// <summary>Collects what the product itself logs as an error; the framework's own words about garbage do not
    /// count.</summary>
    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Errors { get; } = [];

        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("Forerun", StringComparison.Ordinal) ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Errors.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
