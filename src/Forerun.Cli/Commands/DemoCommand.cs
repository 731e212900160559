using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Forerun.Cli.Running;
using Forerun.Core.Emulation;
using Forerun.Edge.Links;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun demo</c>: a server and an edge process with a network between them.</summary>
internal static class DemoCommand
{
    /// <summary>Of the kind that the bundled draft model guesses best; docs/benchmarks.md has the others.</summary>
    private const string DefaultPrompt = "A baker sells 12 loaves in the morning and twice as many in the afternoon. "
        + "Each loaf costs 3 dollars. How much money does he make in a day?";

    private const double DefaultRoundTripMs = 5;
    private const string NoHardware = "none";

    /// <summary>A token of the paper's baseline takes half a second.</summary>
    private const int MaxEmulatedTokens = 24;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var prompt = new Option<string>("--prompt") { Description = "What to ask.", DefaultValueFactory = _ => DefaultPrompt };
        var linkOptions = new LinkOptions(several: false);
        options.MaxTokens.DefaultValueFactory = _ => 128;
        var emulate = EmulateOption.Create("a second, shorter run", NoHardware);
        emulate.DefaultValueFactory = _ => EmulatedProfile.Named[0].Name;
        emulate.Description += $" {NoHardware} = leave that run out.";
        var command = new Command("demo", "A server and an edge process, a network between them, and the same text in every mode.")
        {
            prompt, emulate, options.KeepAwake, options.Model, options.DraftModel, options.DraftLength,
            options.Temperature, options.TopP, options.TopK, options.MinP, options.Seed, options.MaxTokens, options.Json,
        };
        linkOptions.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var json = parsed.GetValue(options.Json);
            var link = linkOptions.Profiles(parsed, DefaultRoundTripMs)[0];
            var hardware = Hardware(parsed.GetRequiredValue(emulate)!);
            var maxTokens = parsed.GetValue(options.MaxTokens);
            var report = await Create(link, null, maxTokens).RunAsync(json ? null : Console.Out.Write, cancellationToken);
            if (hardware is not null)
            {
                var shorter = maxTokens is 0 or > MaxEmulatedTokens ? MaxEmulatedTokens : maxTokens;
                var demo = Create(NetworkOf(hardware.Profile), hardware, shorter);
                report = report.With(await demo.RunAsync(json ? null : Console.Out.Write, cancellationToken));
            }

            if (json)
            {
                Console.WriteLine(JsonSerializer.Serialize(report, ReportJson.Default.DemoReport));
            }
            else
            {
                DemoTables.Show(report);
            }

            return report.Equal ? ExitCodes.Success : ExitCodes.Failure;

            Demo Create(LinkProfile profile, DemoHardware? hardware, int tokens) => new(
                parsed.GetRequiredValue(prompt),
                profile,
                parsed.GetValue(linkOptions.Seed),
                parsed.GetValue(options.DraftLength),
                BundledModels.Target(parsed.GetValue(options.Model)),
                hardware,
                [
                    "--draft-model", BundledModels.Draft(parsed.GetValue(options.DraftModel)),
                    .. Forward(parsed, options.Temperature),
                    .. Forward(parsed, options.TopP),
                    .. Forward(parsed, options.TopK),
                    .. Forward(parsed, options.MinP),
                    .. Forward(parsed, options.Seed),
                    options.MaxTokens.Name, tokens.ToString(CultureInfo.InvariantCulture),
                ])
            {
                ProcessOptions = [.. options.ForwardKeepAwake(parsed)],
            };
        });
        return command;
    }

    private static IEnumerable<string> Forward<T>(ParseResult parsed, Option<T> option)
        where T : IFormattable =>
        [option.Name, parsed.GetValue(option)!.ToString(null, CultureInfo.InvariantCulture)];

    private static DemoHardware? Hardware(string nameOrPath) =>
        nameOrPath == NoHardware ? null : new DemoHardware(EmulatedProfileFile.Find(nameOrPath), nameOrPath);

    private static LinkProfile NetworkOf(EmulatedProfile hardware)
    {
        var link = LinkProfile.Loopback with { RoundTripTime = hardware.Network };
        return link with { Name = link.Describe() };
    }
}
