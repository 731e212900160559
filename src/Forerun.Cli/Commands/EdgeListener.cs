using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Edge.Generation;
using Forerun.Inference.Drafting;
using Forerun.OpenAI;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun edge --listen</c>: a local endpoint for OpenAI's clients. Drafts here, verified by a server.</summary>
internal static class EdgeListener
{
    private const int WarmUpTokens = 24;

    /// <summary>The option <c>--listen</c>.</summary>
    public static Option<string[]?> CreateOption() => new("--listen")
    {
        Description = "Instead of answering a prompt, serve OpenAI's clients at these addresses, as http://127.0.0.1:5140, "
            + "until Ctrl+C; port 0 takes a free one.",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <summary>Either a prompt or <c>--listen</c>; options of one generation go with a prompt only.</summary>
    public static void Validate(
        CommandResult result, Argument<string> prompt, Option<string[]?> listen, IEnumerable<Option> promptOptions)
    {
        var listens = result.GetResult(listen) is { Tokens.Count: > 0 };
        var prompts = result.GetResult(prompt) is { Tokens.Count: > 0 };
        if (listens == prompts)
        {
            result.AddError($"Give either a prompt or {listen.Name}.");
        }

        foreach (var option in promptOptions.Where(option => listens && result.GetResult(option) is { Implicit: false }))
        {
            result.AddError($"{option.Name} goes with a prompt, not with {listen.Name}: every request brings its own.");
        }
    }

    /// <summary>What a server serves now.</summary>
    public static async Task<string> TargetIdAsync(Uri server, CancellationToken cancellationToken)
    {
        using var verifier = new GrpcVerifier(new() { Endpoint = server, TokenizerFingerprint = "" });
        return (await verifier.DescribeAsync(cancellationToken)).TargetId;
    }

    /// <summary>Listens until Ctrl+C.</summary>
    /// <param name="setup">Who drafts, and for whom.</param>
    /// <param name="urls">Addresses to listen on.</param>
    /// <param name="json">A JSON document instead of text.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task<int> RunAsync(EdgeSetup setup, string[] urls, bool json, CancellationToken cancellationToken)
    {
        var start = TimeProvider.System.GetTimestamp();
        await WarmUpAsync(setup.Generator, cancellationToken);
        var serverOptions = new OpenAIServerOptions { Urls = [.. urls], ConfigureLogging = ServeCommand.ConsoleLog(json) };
        await using var server = await OpenAIServer.StartAsync(setup.Generator, serverOptions, cancellationToken);
        var emulated = (setup.Draft.Drafter as EmulatedDrafter)?.Profile.Name;
        var report = new ServingReport(
            [],
            [.. server.Addresses.Select(address => address.ToString())],
            setup.ModelName,
            TimeProvider.System.GetElapsedTime(start).TotalMilliseconds,
            emulated);
        Console.WriteLine(json
            ? JsonSerializer.Serialize(report, ReportJson.Default.ServingReport)
            : $"Serving {setup.ModelName} to OpenAI's clients on {string.Join(", ", report.HttpUrls)}, mode {ModeNames.Of(setup.Mode)}"
                + (setup.Mode.DraftsOnEdge() ? $", drafting here with {setup.Draft.Name}" : "")
                + $"{(emulated is null ? "" : $" in the time of emulated {emulated}")}. Ctrl+C stops.");
        try
        {
            await server.WaitForShutdownAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Ctrl+C is how a server ends; disposing lets running completions finish.
        }

        return ExitCodes.Success;
    }

    /// <summary>A few tokens, so that what does not fit is told at the start and the first request is not a cold one.
    /// </summary>
    private static async Task WarmUpAsync(TextGenerator generator, CancellationToken cancellationToken)
    {
        var request = new GenerationRequest { PromptTokens = generator.RawPrompt("Hello"), MaxTokens = WarmUpTokens };
        await foreach (var _ in generator.GenerateAsync(request, cancellationToken: cancellationToken))
        {
        }
    }
}
