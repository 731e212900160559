using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Cloud;
using Forerun.Inference;
using Microsoft.Extensions.Logging;

namespace Forerun.Cli.Commands;

/// <summary>What a server says once it listens.</summary>
internal sealed record ServingReport(ImmutableArray<string> Urls, string TargetId, double LoadMs);

/// <summary><c>forerun serve</c>: the target, for edges.</summary>
internal static class ServeCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var urls = new Option<string[]>("--urls")
        {
            Description = "Addresses to listen on (HTTP/2 in clear text); port 0 takes a free one.",
            DefaultValueFactory = _ => [.. new ForerunServerOptions().Urls],
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("serve", "Serve the target to edges, until Ctrl+C.") { options.Model, urls };
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var start = TimeProvider.System.GetTimestamp();
            using var target = LanguageModel.Load(BundledModels.Target(parsed.GetValue(options.Model)), options.Engine(parsed));
            var serverOptions = new ForerunServerOptions
            {
                Urls = [.. parsed.GetRequiredValue(urls)],
                ConfigureLogging = json ? null : log => log.AddSimpleConsole(console => console.SingleLine = true),
            };
            await using var server = await ForerunServer.StartAsync(target, serverOptions, cancellationToken);
            var report = new ServingReport(
                [.. server.Addresses.Select(address => address.ToString())],
                target.Id,
                TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
            Console.WriteLine(json
                ? JsonSerializer.Serialize(report, ReportJson.Default.ServingReport)
                : $"Serving {target.Id} on {string.Join(", ", report.Urls)} ({target.InstructionSet}, {target.Threads} threads). Ctrl+C stops.");
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
}
