namespace Forerun.Edge;

/// <summary>Where the target runs, and what the edge takes for granted about it.</summary>
public sealed record GrpcVerifierOptions
{
    /// <summary>The server's address: <c>http://host:port</c> (HTTP/2 in clear text) or <c>https://host:port</c>.
    /// </summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Fingerprint of the tokenizer that makes the prompts' ids.</summary>
    public required string TokenizerFingerprint { get; init; }

    /// <summary>The target to insist on; empty (default) = any with the same tokenizer.</summary>
    public string TargetId { get; init; } = "";

    /// <summary>The numerics to insist on; empty (default) = any.</summary>
    public string NumericsId { get; init; } = "";

    /// <summary>Longest wait for a connection; default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A silent connection is probed after this time and given up after as long again; default 15 s.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);
}
