using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Forerun.OpenAI;

/// <summary>Where and how HTTP is served.</summary>
public sealed record OpenAIServerOptions
{
    /// <summary>Addresses to listen on, HTTP/1.1 in clear text; port 0 takes a free one. Default
    /// <c>http://127.0.0.1:5142</c>.</summary>
    public ImmutableArray<string> Urls { get; init; } = ["http://127.0.0.1:5142"];

    /// <summary>Largest request body in bytes; default 1 MiB.</summary>
    public long MaxBodyBytes { get; init; } = 1024 * 1024;

    /// <summary>Longest wait for running completions when stopping; default 5 s.</summary>
    public TimeSpan GraceTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Adds log providers; null (default) = no log.</summary>
    public Action<ILoggingBuilder>? ConfigureLogging { get; init; }
}
