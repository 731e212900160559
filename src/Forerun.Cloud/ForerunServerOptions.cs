using System.Collections.Immutable;
using Forerun.Inference;
using Forerun.Inference.Exits;
using Microsoft.Extensions.Logging;

namespace Forerun.Cloud;

/// <summary>Where and how a server serves.</summary>
public sealed record ForerunServerOptions
{
    /// <summary>Addresses to listen on, HTTP/2 in clear text; port 0 takes a free one. Default
    /// <c>http://127.0.0.1:5141</c>.</summary>
    public ImmutableArray<string> Urls { get; init; } = ["http://127.0.0.1:5141"];

    /// <summary>How much the target does at once.</summary>
    public SchedulerOptions Scheduler { get; init; } = SchedulerOptions.Default;

    /// <summary>Draft model for mode colocated, owned by the caller; null (default) = the mode is refused.</summary>
    public LanguageModel? DraftModel { get; init; }

    /// <summary>Exits of the target, owned by the caller; null (default) = nothing is announced.</summary>
    public ExitHeads? Exits { get; init; }

    /// <summary>Longest wait for running rounds when stopping; default 5 s.</summary>
    public TimeSpan GraceTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A silent connection is probed after this time and dropped after as long again; default 15 s.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Adds log providers; null (default) = no log.</summary>
    public Action<ILoggingBuilder>? ConfigureLogging { get; init; }
}
