using System.Globalization;
using System.Text.Json;
using Forerun.Cli.Commands;
using Forerun.Inference;

namespace Forerun.Cli.Running;

/// <summary>A server in a process of its own, on loopback, on the first core where there are two. Disposing ends it.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;

    private ServerProcess(ChildProcess process, ServingReport serving)
    {
        _process = process;
        Address = new Uri(serving.Urls[0]);
        TargetId = serving.TargetId;
    }

    /// <summary>Whether server and edge get a core each.</summary>
    public static bool HasTwoCores { get; } = OperatingSystem.IsLinux() && Environment.ProcessorCount > 1;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it serves.</summary>
    public string TargetId { get; }

    /// <summary>Binds this process to the core that the server leaves free; nothing on machines with one core.</summary>
    public static void TakeOtherCore()
    {
        if (HasTwoCores)
        {
            ProcessCores.Restrict(1);
        }
    }

    /// <summary>The option that binds a process to a core; empty on machines with one core.</summary>
    public static string[] CoreOption(int core) =>
        HasTwoCores ? ["--core", core.ToString(CultureInfo.InvariantCulture)] : [];

    /// <summary>Starts it and waits until it listens. It reuses no prefixes: runs of one prompt cost the same in any order.
    /// </summary>
    /// <param name="targetPath">Target model.</param>
    /// <param name="draftPath">Draft model for the mode colocated; null = that mode is refused.</param>
    /// <param name="options">Further options.</param>
    /// <param name="cancellationToken">Ends the wait and the process.</param>
    /// <exception cref="InvalidOperationException">It failed; the message is its own.</exception>
    public static async Task<ServerProcess> StartAsync(
        string targetPath, string? draftPath, IEnumerable<string> options, CancellationToken cancellationToken)
    {
        var process = new ChildProcess(
        [
            "serve", "--model", targetPath, "--urls", "http://127.0.0.1:0", "--threads", "1", "--json", "--no-prefix-reuse",
            .. draftPath is null ? [] : (string[])["--draft-model", draftPath],
            .. options, .. CoreOption(0),
        ]);
        try
        {
            var line = await process.Output.ReadLineAsync(cancellationToken);
            if (line is null)
            {
                await process.EnsureSuccessAsync(cancellationToken);
                throw new InvalidOperationException("The server process ended before it served.");
            }

            return new ServerProcess(process, JsonSerializer.Deserialize(line, ReportJson.Default.ServingReport)!);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _process.DisposeAsync();
}
