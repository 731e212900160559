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
internal sealed record ServingReport(
    ImmutableArray<string> Urls, ImmutableArray<string> HttpUrls, string TargetId, double LoadMs);

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
        var httpUrls = HttpAddresses.CreateOption();
        var command = new Command("serve", "Serve the target to edges and to OpenAI's clients, until Ctrl+C.")
        {
            options.Model, urls, httpUrls,
        };
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var start = TimeProvider.System.GetTimestamp();
            using var target = LanguageModel.Load(BundledModels.Target(parsed.GetValue(options.Model)), options.Engine(parsed));
            var edgeUrls = parsed.GetRequiredValue(urls);
            var serverOptions = new ForerunServerOptions { Urls = [.. edgeUrls], ConfigureLogging = ConsoleLog(json) };
            await using var server = await ForerunServer.StartAsync(target, serverOptions, cancellationToken);
            var httpOptions = new OpenAIServerOptions
            {
                Urls = HttpAddresses.Resolve(parsed.GetValue(httpUrls), edgeUrls[0]),
                ConfigureLogging = ConsoleLog(json),
            };
            await using var http = httpOptions.Urls.IsEmpty
                ? null
                : await OpenAIServer.StartAsync(
                    new TextGenerator(server.Verifier, target), httpOptions, cancellationToken);
            var report = new ServingReport(
                [.. server.Addresses.Select(address => address.ToString())],
                [.. http?.Addresses.Select(address => address.ToString()) ?? []],
                target.Id,
                TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            Console.WriteLine(json
                ? JsonSerializer.Serialize(report, ReportJson.Default.ServingReport)
                : $"Serving {target.Id} to edges on {string.Join(", ", report.Urls)}"
                    + (http is null ? "" : $", to OpenAI's clients on {string.Join(", ", report.HttpUrls)}")
                    + $" ({target.InstructionSet}, {target.Threads} threads). Ctrl+C stops.");
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
