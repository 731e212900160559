using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;

namespace Forerun.Cli.Commands;

/// <summary>Where a server listens for OpenAI's clients. They speak HTTP/1.1; in clear text one port cannot serve them and
/// gRPC.</summary>
internal static class HttpAddresses
{
    private const string None = "none";

    /// <summary>The option <c>--http-urls</c>.</summary>
    public static Option<string[]?> CreateOption() => new("--http-urls")
    {
        Description = "Addresses for OpenAI's clients (HTTP/1.1 in clear text), or \"none\"; port 0 takes a free one. "
            + "Default: this machine only, the port after the first of --urls.",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>The addresses to listen on; empty = none. By default nothing is opened to other machines: loopback, one port
    /// after the edges' own, a free port where that is free too.</summary>
    /// <param name="given">What the user wrote; null or empty = nothing.</param>
    /// <param name="edgeUrl">First address for edges.</param>
    public static ImmutableArray<string> Resolve(string[]? given, string edgeUrl)
    {
        if (given is { Length: > 0 })
        {
            return given is [None] ? [] : [.. given];
        }

        var colon = edgeUrl.LastIndexOf(':');
        return int.TryParse(edgeUrl.AsSpan(colon + 1).TrimEnd('/'), CultureInfo.InvariantCulture, out var port)
            ? [$"http://127.0.0.1:{(port is 0 or ushort.MaxValue ? 0 : port + 1)}"]
            : ["http://127.0.0.1:0"];
    }
}
