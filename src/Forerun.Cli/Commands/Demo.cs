using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Core.Emulation;
using Forerun.Edge;
using Forerun.Edge.Links;
using Forerun.Inference.Gguf;
using Forerun.Inference.Tokenization;

namespace Forerun.Cli.Commands;

/// <summary>Hardware that a demo emulates.</summary>
/// <param name="Profile">Its times.</param>
/// <param name="NameOrPath">How other processes are told.</param>
internal sealed record DemoHardware(EmulatedProfile Profile, string NameOrPath);

/// <summary>Runs the demo: a server process, an emulated link, and an edge process per mode.</summary>
/// <param name="prompt">What to ask.</param>
/// <param name="profile">The link between them.</param>
/// <param name="linkSeed">Seed of the link.</param>
/// <param name="draftLength">Tokens drafted per round.</param>
/// <param name="targetPath">Target model.</param>
/// <param name="emulated">Hardware to emulate; null = this machine as it is.</param>
/// <param name="edgeArguments">Options for the edge processes.</param>
internal sealed class Demo(
    string prompt,
    LinkProfile profile,
    int linkSeed,
    int draftLength,
    string targetPath,
    DemoHardware? emulated,
    ImmutableArray<string> edgeArguments)
{
    private const int Pings = 9;

    private readonly ImmutableArray<DecodingMode> _modes =
    [
        DecodingMode.Autoregressive, DecodingMode.Speculative, DecodingMode.Preemptive, DecodingMode.Pipelined,

        // The emulated half takes long enough.
        .. emulated is null ? [DecodingMode.Asynchronous] : ImmutableArray<DecodingMode>.Empty,
    ];

    /// <summary>Options for every process, the server's too.</summary>
    public ImmutableArray<string> ProcessOptions { get; init; } = [];

    /// <summary>Runs all modes.</summary>
    /// <param name="write">Receives what happens, live; null = quiet.</param>
    /// <param name="cancellationToken">Ends everything, the processes included.</param>
    public async Task<DemoReport> RunAsync(Action<string>? write, CancellationToken cancellationToken)
    {
        var hardware = emulated is null ? "" : $", both emulating {emulated.Profile.Name} ({emulated.Profile.Describe()})";
        write?.Invoke($"Starting a server and an edge process, between them {profile.Describe()}{hardware} …\n");
        await using var server = await ServerProcess.StartAsync(
            targetPath, draftPath: null, [.. EmulateOption.Arguments(emulated?.NameOrPath), .. ProcessOptions], cancellationToken);
        await using var link = new LinkRelay(server.Address, profile, linkSeed);
        var measured = await MeasureRoundTripAsync(link.Address, cancellationToken);
        var modes = ImmutableArray.CreateBuilder<GenerationReport>();
        var bytes = ImmutableArray.CreateBuilder<long>();
        foreach (var mode in _modes)
        {
            write?.Invoke($"\n--- {ModeNames.Of(mode)} ---\n");
            var before = link.BytesUp + link.BytesDown;
            modes.Add(await DecodeAsync(mode, link.Address, write, cancellationToken));
            bytes.Add(link.BytesUp + link.BytesDown - before);
            write?.Invoke("\n");
        }

        return Report(modes.ToImmutable(), bytes.ToImmutable(), measured);
    }

    private async Task<GenerationReport> DecodeAsync(
        DecodingMode mode, Uri server, Action<string>? write, CancellationToken cancellationToken)
    {
        var path = Path.GetTempFileName();
        try
        {
            await using var edge = new ChildProcess(
            [
                "edge", prompt, "--server", server.ToString(), "--mode", ModeNames.Of(mode),
                "--draft-length", draftLength.ToString(CultureInfo.InvariantCulture),
                "--threads", "1", "--report", path, .. emulated is null ? ["--warm-up"] : EmulateOption.Arguments(emulated.NameOrPath),
                .. ServerProcess.CoreOption(1), .. ProcessOptions, .. edgeArguments,
            ]);
            var buffer = new char[256];
            int read;
            while ((read = await edge.Output.ReadAsync(buffer, cancellationToken)) > 0)
            {
                write?.Invoke(new string(buffer, 0, read));
            }

            await edge.EnsureSuccessAsync(cancellationToken);
            await using var file = File.OpenRead(path);
            return (await JsonSerializer.DeserializeAsync(file, ReportJson.Default.GenerationReport, cancellationToken))!;
        }
        finally
        {
            File.Delete(path);
        }
    }

    private async Task<double> MeasureRoundTripAsync(Uri server, CancellationToken cancellationToken)
    {
        using var file = GgufFile.Open(targetPath);
        using var verifier = new GrpcVerifier(new GrpcVerifierOptions
        {
            Endpoint = server,
            TokenizerFingerprint = Tokenizer.From(file).Fingerprint,
        });
        var times = new List<double>();
        for (var i = 0; i <= Pings; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            await verifier.DescribeAsync(cancellationToken);
            times.Add(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        }

        return times.Skip(1).Median();
    }

    private DemoReport Report(ImmutableArray<GenerationReport> modes, ImmutableArray<long> bytes, double measured)
    {
        var (autoregressive, speculative) = (modes[0], modes[1]);
        var best = modes.MinBy(mode => mode.TimePerOutputTokenMs ?? double.PositiveInfinity)!;
        return new DemoReport(
            prompt,
            profile.Name,
            profile.RoundTripTime.TotalMilliseconds,
            measured,
            draftLength,
            ServerProcess.HasTwoCores,
            modes.All(mode => mode.Tokens.SequenceEqual(autoregressive.Tokens)),
            autoregressive.TimePerOutputTokenMs / speculative.TimePerOutputTokenMs,
            speculative.AcceptanceRate,
            modes,
            bytes)
        {
            Emulated = emulated?.Profile.Name,
            BestMode = best.Mode,
            BestSpeedup = autoregressive.TimePerOutputTokenMs / best.TimePerOutputTokenMs,
        };
    }
}
