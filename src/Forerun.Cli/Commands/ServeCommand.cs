using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Cloud;
using Forerun.Edge.Generation;
using Forerun.Inference;
using Forerun.OpenAI;
using Microsoft.Extensions.Logging;

namespace Forerun.Cli.Commands;

/// <summary>What a server says once it listens.</summary>
/// <param name="Urls">For edges (gRPC); empty on an edge.</param>
/// <param name="HttpUrls">For OpenAI's clients (HTTP/1.1); may be empty.</param>
/// <param name="TargetId">What is served.</param>
/// <param name="LoadMs">Time until it listened, in milliseconds.</param>
/// <param name="Emulated">Hardware whose times are emulated; null = the times are this machine's.</param>
internal sealed record ServingReport(
    ImmutableArray<string> Urls, ImmutableArray<string> HttpUrls, string TargetId, double LoadMs, string? Emulated = null);

/// <summary><c>forerun serve</c>: the target, for edges and for OpenAI's clients.</summary>
internal static class ServeCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var urls = new Option<string[]>("--urls")
        {
            Description = "Addresses for edges (gRPC, HTTP/2 in clear text); port 0 takes a free one.",
            DefaultValueFactory = _ => [.. new ForerunServerOptions().Urls],
            AllowMultipleArgumentsPerToken = true,
        };
        var draftModel = new Option<string?>("--draft-model")
        {
            Description = "Also draft here, for edges that ask for the mode colocated: a GGUF file with the target's tokenizer; without a file the bundled forerun-draft.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var kvMemory = new Option<long>("--kv-memory")
        {
            Description = "Most memory of all KV caches, such as 512MiB; default: a quarter of what is free.",
            CustomParser = ByteSize.Parse,
        };
        var noReuse = new Option<bool>("--no-prefix-reuse")
        {
            Description = "Compute every prompt whole, also where another one began with the same tokens.",
        };
        var httpUrls = HttpAddresses.CreateOption();
        var exitOptions = new ExitOptions();
        var emulate = EmulateOption.Create("the target's passes");
        var command = new Command("serve", "Serve the target to edges and to OpenAI's clients, until Ctrl+C.")
        {
            options.Model, draftModel, urls, httpUrls, kvMemory, noReuse, options.KeepAwake, emulate,
        };
        exitOptions.AddTo(command);
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var emulated = EmulateOption.Profile(parsed, emulate);
            var start = TimeProvider.System.GetTimestamp();
            var targetPath = BundledModels.Target(parsed.GetValue(options.Model));
            using var target = LanguageModel.Load(targetPath, options.Engine(parsed));
            using var exits = exitOptions.Load(parsed, target, targetPath);
            using var draft = parsed.GetResult(draftModel) is null
                ? null
                : LanguageModel.Load(BundledModels.Draft(parsed.GetValue(draftModel)), options.DraftEngine(parsed));
            var edgeUrls = parsed.GetRequiredValue(urls);
            var serverOptions = new ForerunServerOptions
            {
                Urls = [.. edgeUrls],
                DraftModel = draft,
                Exits = exits,
                Scheduler = new SchedulerOptions
                {
                    KvMemory = parsed.GetValue(kvMemory),
                    ReusePrefixes = !parsed.GetValue(noReuse),
                    KeepAwake = parsed.GetValue(options.KeepAwake),
                    Emulated = emulated,
                },
                ConfigureLogging = ConsoleLog(json),
            };
            await using var server = await ForerunServer.StartAsync(target, serverOptions, cancellationToken);
            var httpOptions = new OpenAIServerOptions
            {
                Urls = HttpAddresses.Resolve(parsed.GetValue(httpUrls), edgeUrls[0]),
                ConfigureLogging = ConsoleLog(json),
            };
            await using var http = httpOptions.Urls.IsEmpty
                ? null
                : await OpenAIServer.StartAsync(
                    new TextGenerator(server.Verifier, target.TextFormat), httpOptions, cancellationToken);
            var report = new ServingReport(
                [.. server.Addresses.Select(address => address.ToString())],
                [.. http?.Addresses.Select(address => address.ToString()) ?? []],
                target.Id,
                TimeProvider.System.GetElapsedTime(start).TotalMilliseconds,
                emulated?.Name);
            Console.WriteLine(json
                ? JsonSerializer.Serialize(report, ReportJson.Default.ServingReport)
                : $"Serving {target.Id} to edges on {string.Join(", ", report.Urls)}"
                    + (http is null ? "" : $", to OpenAI's clients on {string.Join(", ", report.HttpUrls)}")
                    + $" ({target.InstructionSet}, {target.Threads} threads, up to {ByteSize.Show(server.KvMemory)} of KV caches"
                    + (draft is null ? "" : $", drafting with {draft.Id}")
                    + (exits is null ? "" : $", exits after layers {string.Join(", ", exits.Layers)}")
                    + (emulated is null ? "" : $"; passes take the time of emulated {emulated.Name}: {emulated.Verification.TotalMilliseconds} ms")
                    + "). Ctrl+C stops.");
            try
            {
                await server.WaitForShutdownAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // Ctrl+C is how a server ends; disposing lets running rounds finish.
            }

            return ExitCodes.Success;
        });
        return command;
    }

    /// <summary>Log on the console where people read it.</summary>
    public static Action<ILoggingBuilder>? ConsoleLog(bool json) =>
        json ? null : log => log.AddSimpleConsole(console => console.SingleLine = true);
}
