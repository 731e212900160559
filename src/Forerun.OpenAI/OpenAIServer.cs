using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Forerun.OpenAI;

/// <summary>Serves a generator to OpenAI's clients over HTTP: on the server the target alone, on a device the target with
/// drafts made there. Thread-safe.</summary>
public sealed class OpenAIServer : IAsyncDisposable
{
    private const int MaxConnections = 1024;
    private readonly WebApplication _app;

    private OpenAIServer(WebApplication app) => _app = app;

    /// <summary>Addresses that are listened on, with the ports that were taken.</summary>
    public ImmutableArray<Uri> Addresses => [.. _app.Urls.Select(url => new Uri(url))];

    /// <summary>Starts serving; the caller keeps owning the generator.</summary>
    /// <exception cref="IOException">An address is taken.</exception>
    /// <exception cref="VerifierUnavailableException">The generator's verifier does not answer.</exception>
    public static async Task<OpenAIServer> StartAsync(
        TextGenerator generator, OpenAIServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new OpenAIServerOptions();
        var target = await generator.DescribeAsync(cancellationToken).ConfigureAwait(false);
        var app = Build(generator, target, options);
        try
        {
            await app.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        OpenAILog.Serving(
            app.Services.GetRequiredService<ILogger<OpenAIServer>>(), string.Join(", ", app.Urls), target.TargetId);
        return new OpenAIServer(app);
    }

    /// <summary>Waits until the process is asked to stop.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken = default) =>
        _app.WaitForShutdownAsync(cancellationToken);

    /// <summary>Stops; completions that run longer than the grace time are cut off.</summary>
    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync().ConfigureAwait(false);
        await _app.DisposeAsync().ConfigureAwait(false);
    }

    private static WebApplication Build(TextGenerator generator, TargetDescription target, OpenAIServerOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        options.ConfigureLogging?.Invoke(builder.Logging);
        builder.WebHost.UseUrls([.. options.Urls]).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = MaxConnections;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.GraceTime);
        builder.Services.AddSingleton(services => new CompletionEndpoints(
            generator, target, TimeProvider.System, services.GetRequiredService<ILogger<CompletionEndpoints>>()));
        builder.Services.AddHealthChecks().AddCheck("verifier", new VerifierCheck(generator.Verifier));
        var app = builder.Build();
        app.UseMiddleware<ErrorResponses>();
        app.Services.GetRequiredService<CompletionEndpoints>().Map(app);
        app.MapHealthChecks("/health/live", new() { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        return app;
    }
}
