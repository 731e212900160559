using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>Serves a target to edges over gRPC. Thread-safe.</summary>
public sealed class ForerunServer : IAsyncDisposable
{
    private const int MaxConnections = 1024;
    private const int MaxTokenBytes = 5;
    private const int MaxMessageOverhead = 64 * 1024;

    private readonly WebApplication _app;
    private readonly VerificationScheduler _scheduler;

    private ForerunServer(WebApplication app, VerificationScheduler scheduler)
    {
        _app = app;
        _scheduler = scheduler;
        Verifier = new LocalVerifier(scheduler);
    }

    /// <summary>Addresses that are listened on, with the ports that were taken.</summary>
    public ImmutableArray<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url))];

    /// <summary>Bytes that all KV caches may take.</summary>
    public long KvMemory => _scheduler.KvMemory;

    /// <summary>Sessions that are open.</summary>
    public int SessionCount => _scheduler.SessionCount;

    /// <summary>The served target for callers in this process; it shares passes and room with the edges.</summary>
    public IVerifier Verifier { get; }

    /// <summary>Starts serving; the caller keeps owning the target and disposes it after this.</summary>
    /// <exception cref="IOException">An address is taken.</exception>
    /// <exception cref="ModelMismatchException">The draft model has another tokenizer than the target.</exception>
    public static async Task<ForerunServer> StartAsync(
        LanguageModel target, ForerunServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new ForerunServerOptions();
        var app = Build(target, options);
        var server = new ForerunServer(app, app.Services.GetRequiredService<VerificationScheduler>());
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var logger = app.Services.GetRequiredService<ILogger<ForerunServer>>();
        app.Lifetime.ApplicationStopping.Register(() =>
        {
            CloudLog.Leaving(logger, server.SessionCount);
            _ = server._scheduler.DrainAsync();
        });
        CloudLog.Serving(logger, target.Id, string.Join(", ", app.Urls));
        return server;
    }

    /// <summary>Waits until the process is asked to stop, or <see cref="StopAsync"/> is called.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken = default) =>
        _app.WaitForShutdownAsync(cancellationToken);

    /// <summary>Stops: new generations are refused, running ones finish their round and are told to go away. What has
    /// not ended within the grace time is cut off.</summary>
    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static WebApplication Build(LanguageModel target, ForerunServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        options.ConfigureLogging?.Invoke(builder.Logging);
        builder.WebHost.UseUrls([.. options.Urls]).ConfigureKestrel(kestrel => Configure(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.GraceTime);
        builder.Services.AddSingleton(services => new VerificationScheduler(
            target,
            options.Scheduler,
            TimeProvider.System,
            services.GetRequiredService<ILogger<VerificationScheduler>>(),
            options.DraftModel,
            options.Exits));
        builder.Services.AddSingleton<VerifierService>();
        builder.Services.AddGrpc(grpc => grpc.MaxReceiveMessageSize =
            (target.Config.MaxPositionEmbeddings * MaxTokenBytes) + MaxMessageOverhead);
        var app = builder.Build();
        app.MapGrpcService<VerifierService>();
        return app;
    }

    private static void Configure(KestrelServerOptions kestrel, ForerunServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.Http2.KeepAlivePingDelay = options.KeepAlive;
        kestrel.Limits.Http2.KeepAlivePingTimeout = options.KeepAlive;
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
    }
}
